import { useMemo, useState, type ReactNode } from "react";
import type { RunDetail } from "../../api/runs";
import type { MetricCell } from "../../api/table";
import { bestOf, commonPrefix, fold, splitName, textLines, type CompareLine } from "../../model/diff";
import { digitsFor, formatDuration, formatMoment, formatValue } from "../../model/format";
import { hasDirection, isSystem, lowerIsBetter } from "../../model/metrics";
import { durationOf } from "../../model/status";
import { locale, t } from "../../i18n";
import { ParamText } from "../../parts/ParamText";
import { StatusGlyph, statusWord } from "../../parts/Status";
import { useMedia } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { MenuButton } from "../../ui/Menu";
import { Link } from "../../ui/router";
import { Swatch } from "../../ui/Swatch";
import { runPath } from "../../url/routes";

export interface Compared {
  detail: RunDetail;
  metrics: Record<string, MetricCell>;
  slot: number | null;
}
interface Props {
  runs: Compared[];
  base: string;
  onBase: (id: string) => void;
  onRemove: (id: string) => void;
}

const keysOf = (records: Record<string, unknown>[]) => [...new Set(records.flatMap((r) => Object.keys(r)))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
const WIDE = { label: 168, column: 132, name: 44 };
const NARROW = { label: 108, column: 116, name: 36 };

/** Rows of one kind: differing ones first, equal ones folded into one line with their count. */
function Section({ title, lines, count, render }: { title: string; lines: CompareLine<unknown>[]; count: number; render: (line: CompareLine<unknown>) => ReactNode }) {
  const [open, setOpen] = useState(false);
  const { differing, equal } = fold(lines);
  if (!lines.length) return null;
  return (
    <tbody>
      <tr className="sech"><th scope="rowgroup" colSpan={count + 1}><span>{title}</span></th></tr>
      {differing.map(render)}
      {equal.length > 0 && (
        <tr className="folded"><td className="l" colSpan={count + 1}>
          <button type="button" className="linkish" aria-expanded={open} onClick={() => setOpen(!open)}><Icon name={open ? "down" : "right"} small />{t.nEqual(equal.length)}</button>
        </td></tr>
      )}
      {open && equal.map(render)}
    </tbody>
  );
}

/** A run's name in up to three lines, the part that it shares with the others in grey. */
function HeadName({ name, prefix, most }: { name: string; prefix: string; most: number }) {
  const { shared, own } = splitName(name, prefix, most);
  return <>{shared && <span className="ell muted">{shared}</span>}<b>{own}</b></>;
}

export function SideBySide({ runs, base, onBase, onRemove }: Props) {
  const size = useMedia("(max-width: 720px)") ? NARROW : WIDE;
  const prefix = commonPrefix(runs.map((r) => r.detail.info.name));
  const params = useMemo(() => textLines(keysOf(runs.map((r) => r.detail.params)), runs.map((r) => r.detail.params)), [runs]);
  const metrics = useMemo<CompareLine<number | null>[]>(() => keysOf(runs.map((r) => r.metrics)).filter((k) => !isSystem(k)).flatMap((key) => {
    const values = runs.map((r) => r.metrics[key]?.last ?? null);
    return values.every((v) => v === null) ? [] : [{ key, values, differs: values.some((v) => !Object.is(v, values[0])) }];
  }), [runs]);
  const now = Date.now();
  const about = textLines([t.status, t.duration, t.started, t.user, t.commit], runs.map(({ detail: { info, tags } }) => ({
    [t.status]: statusWord(info.status), [t.duration]: formatDuration(durationOf(info, now)), [t.started]: formatMoment(info.start_time, now, locale), [t.user]: info.user || null, [t.commit]: tags["mlflow.source.git.commit"]?.slice(0, 7) ?? null,
  }))).filter((line) => line.values.some((v) => v !== null));
  const at = Math.max(0, runs.findIndex((r) => r.detail.info.run_id === base));
  const text = (marked: boolean) => (line: CompareLine<unknown>) => (
    <tr key={line.key} data-testid="compare-row" data-key={line.key} data-differs={line.differs}>
      <th scope="row" className="l ell" title={line.key}>{line.key}</th>
      {line.values.map((value, i) => <td key={i} className={marked && line.differs && value !== line.values[at] ? "diff" : ""} title={String(value ?? "")}>{value === null ? <span className="muted">–</span> : marked ? <ParamText text={String(value)} className="" /> : String(value)}</td>)}
    </tr>
  );
  const metric = (raw: CompareLine<unknown>) => {
    const line = raw as CompareLine<number | null>;
    const digits = digitsFor(line.values);
    const best = hasDirection(line.key) ? bestOf(line.values, lowerIsBetter(line.key)) : new Set<number>();
    return (
      <tr key={line.key} data-testid="compare-row" data-key={line.key} data-differs={line.differs}>
        <th scope="row" className="l ell" title={line.key}>{line.key}</th>
        {line.values.map((value, i) => <td key={i} className={`${best.has(i) ? "best" : ""}${value !== null && !Number.isFinite(value) ? " bad" : ""}`}>{formatValue(value, digits, locale)}</td>)}
      </tr>
    );
  };
  return (
    <section className="card sbs">
      <header><h2>{t.sideBySide}</h2><span className="muted">{t.differFirst}</span></header>
      <div className="sbs-scroll" tabIndex={0} role="region" aria-label={t.sideBySide}>
        <table className="plain" style={{ width: size.label + runs.length * size.column, minWidth: "100%" }}>
          <colgroup><col style={{ width: size.label }} />{runs.map((r) => <col key={r.detail.info.run_id} style={{ minWidth: size.column }} />)}</colgroup>
          <thead>
            <tr>
              <td className="l" />
              {runs.map(({ detail: { info }, slot }) => (
                <th key={info.run_id} scope="col" title={info.name}>
                  <span className="row cmp-top">{info.run_id === base && <span className="muted" title={t.baseline}><Icon name="pin" small /></span>}<Swatch slot={slot} /><StatusGlyph status={info.status} />
                    <MenuButton look="ghost" className="tiny" icon="more" label={t.actionsFor(info.name)} entries={() => [{ label: t.setBaseline, icon: "pin", checked: info.run_id === base, onSelect: () => onBase(info.run_id) }, { label: t.removeRun(info.name), icon: "x", onSelect: () => onRemove(info.run_id) }]} /></span>
                  <Link className="cmp-name" to={runPath(info.experiment_id, info.run_id)}><HeadName name={info.name} prefix={prefix} most={size.name} /></Link>
                </th>
              ))}
            </tr>
          </thead>
          <Section title={t.parameters} lines={params} count={runs.length} render={text(true)} />
          <Section title={t.metrics} lines={metrics} count={runs.length} render={metric} />
          <Section title={t.run} lines={about} count={runs.length} render={text(false)} />
        </table>
      </div>
    </section>
  );
}
