import { useEffect, useState, type ReactNode } from "react";
import { t } from "../i18n";
import { Button } from "./Button";
import { Icon } from "./Icon";

/** Why nothing is here, and what to do next. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="mid">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A failure in the place that failed; the rest of the page goes on. */
export function ErrorBox({ error, onRetry, title = t.couldNotLoad }: { error: Error; onRetry?: () => void; title?: string }) {
  return (
    <div className="mid" role="alert">
      <span className="bad"><Icon name="warn" /></span>
      <p><b>{title}</b><br />{error.message}</p>
      <div className="row">
        {onRetry && <Button onClick={onRetry}>{t.retry}</Button>}
        <Button look="ghost" onClick={() => void navigator.clipboard.writeText(`${error.name}: ${error.message}`)}>{t.details}</Button>
      </div>
    </div>
  );
}

/** True after a short while, so that what loads at once never flashes a skeleton. */
export function useSlow(after = 120): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), after);
    return () => clearTimeout(timer);
  }, [after]);
  return slow;
}

const WIDTHS = [62, 48, 55, 38, 58, 44];

/** Rows of grey bars with the heights of the real ones. */
export function SkeletonRows({ rows = 6 }: { rows?: number }) {
  const slow = useSlow();
  return (
    <div className="skeleton" role="status" aria-label={t.loadingText}>
      {slow && Array.from({ length: rows }, (_, i) => (
        <div key={i} className="sk-row">
          <span className="sk" style={{ width: `${WIDTHS[i % WIDTHS.length]}%` }} />
          <span className="sk" style={{ width: "9%" }} />
          <span className="sk" style={{ width: "7%" }} />
        </div>
      ))}
    </div>
  );
}
