import { memo } from "react";
import type { LogLine } from "../../api/logStore";
import { formatMoment, isMoment } from "../../model/format";
import { markSpans, parseAnsi } from "../../model/ansi";
import { locale, t } from "../../i18n";

interface Props {
  number: number | null;
  /** Undefined while it is being fetched. */
  line: LogLine | undefined;
  digits: number;
  chosen: boolean;
  wanted: string;
  times: boolean;
  onChoose: (line: number) => void;
}

/** When a line was printed; a clock that told what no calendar holds gets words. */
function Time({ time }: { time: number }) {
  if (!isMoment(time)) return <span className="logtime">{formatMoment(time, Date.now(), locale)}</span>;
  const date = new Date(time);
  return <time className="logtime" dateTime={date.toISOString()} title={date.toLocaleString(locale)}>{date.toLocaleTimeString(locale, { hour12: false })}</time>;
}

/** One line: its number, its time, where it came from, and its text in its colours. */
export const LogRow = memo(function LogRow({ number, line, digits, chosen, wanted, times, onChoose }: Props) {
  const width = { width: `${digits + 3}ch` };
  const error = line?.origin.stream === "stderr";
  return (
    <div className={`logrow${error ? " err" : ""}${chosen ? " on" : ""}`} data-line={number ?? undefined} data-testid="log-row">
      {number === null
        ? <span className="logno" style={width} title={t.stillOpen}>…</span>
        : <button type="button" tabIndex={-1} className="logno" style={width} aria-label={t.lineNumber(String(number))} onClick={() => onChoose(number)}>{number}</button>}
      {times && line && <Time time={line.time} />}
      {line?.origin.source ? <span className="logtag src">{line.origin.source}</span> : null}
      <span className="logtag" title={line?.origin.stream}>{error ? "err" : ""}</span>
      <span className="logtext">
        {line ? markSpans(parseAnsi(line.text), wanted).map((span, i) => {
          const hit = "hit" in span && span.hit;
          return hit ? <mark key={i} className={span.look}>{span.text}</mark> : <span key={i} className={span.look || undefined}>{span.text}</span>;
        }) : <span className="gap">·</span>}
      </span>
    </div>
  );
});
