import { useState } from "react";
import { logTextHref } from "../../api/logs";
import { formatCount } from "../../model/format";
import { nextMatch } from "../../model/lines";
import { locale, t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { useView } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import "../../styles/logs.css";
import { LogView } from "./LogView";
import { useLog } from "./useLog";
import { useLogSearch } from "./useLogSearch";

interface View {
  q: string;
  line: number | null;
  times: boolean;
}

function parse(search: string): View {
  const query = new URLSearchParams(search);
  const line = Number(query.get("line"));
  return { q: query.get("q") ?? "", line: Number.isSafeInteger(line) && line > 0 ? line : null, times: query.get("times") === "1" };
}

function format({ q, line, times }: View): string {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (line) query.set("line", String(line));
  if (times) query.set("times", "1");
  return query.size ? `?${query}` : "";
}

/** What the run's processes printed, as it comes. */
export default function LogsTab({ runId, running }: { runId: string; running: boolean }) {
  const { store, log } = useLog(runId);
  const [{ q, line, times }, change] = useView(parse, format);
  const [follow, setFollow] = useState(line === null);
  const [goal, setGoal] = useState(line === null ? null : { line, turn: 0 });
  const found = useLogSearch(runId, q, log.total);

  const go = (next: number | null) => {
    if (next === null) return;
    setFollow(false);
    setGoal((old) => ({ line: next, turn: (old?.turn ?? 0) + 1 }));
    change({ line: next }, true);
  };
  const step = (forward: boolean) => go(nextMatch(found?.numbers ?? [], line ?? (forward ? 0 : log.total + 1), forward));

  if (log.error && log.fresh) return <ErrorBox error={log.error} onRetry={() => void store.refresh()} />;
  if (log.fresh) return <SkeletonRows rows={12} />;
  if (!log.total && !log.open.length) return <EmptyState title={t.noLog}><p>{t.noLogHint}</p></EmptyState>;
  const count = (value: number) => formatCount(value, locale);
  const place = found && line !== null ? found.numbers.indexOf(line) : -1;
  const total = found ? `${count(found.numbers.length)}${found.more ? "+" : ""}` : "";
  return (
    <div className="logs">
      <div className="logbar" role="toolbar" aria-label={t.logText}>
        <label className="search">
          <Icon name="search" small />
          <input value={q} placeholder={t.searchLog} aria-label={t.searchLog} onChange={(event) => change({ q: event.target.value }, true)} onKeyDown={(event) => {
            if (event.key === "Enter") step(!event.shiftKey);
            if (event.key === "Escape") change({ q: "" }, true);
          }} />
        </label>
        {q && <Button look="ghost" icon="arrowUp" aria-label={t.previousMatch} disabled={!found?.numbers.length} onClick={() => step(false)} />}
        {q && <Button look="ghost" icon="arrowDown" aria-label={t.nextMatch} disabled={!found?.numbers.length} onClick={() => step(true)} />}
        {q && found && <span className="loginfo" role="status">{!found.numbers.length ? t.noMatches : place < 0 ? t.matches(total) : t.matchOf(count(place + 1), total)}</span>}
        <span className="grow" />
        <span className="loginfo num" data-testid="log-count">{t.nLines(count(log.total), log.total === 1)}</span>
        <Button on={times} onClick={() => change({ times: !times }, true)}>{t.logTimes}</Button>
        {(running || !follow) && <Button icon="arrowDown" on={follow} onClick={() => { setFollow(!follow); if (line !== null) change({ line: null }, true); }}>{t.followLog}</Button>}
        <a className="btn icon" href={logTextHref(runId)} download aria-label={t.saveLog} title={t.saveLog}><Icon name="download" small /></a>
      </div>
      {log.keptFrom > 1 && <p className="lognote"><Icon name="warn" small />{t.olderGone(count(log.keptFrom - 1))}</p>}
      {log.dropped > 0 && <p className="lognote"><Icon name="warn" small />{t.linesLeftOut(count(log.dropped))}</p>}
      <div className="logbox">
        <LogView store={store} log={log} follow={follow} onFollow={setFollow} goal={goal} chosen={line} onChoose={go} wanted={q} times={times} />
      </div>
    </div>
  );
}
