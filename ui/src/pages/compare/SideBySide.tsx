import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { Row } from "../../api/table";
import { bestOf, commonPrefix, fold, splitName, textLines, type CompareLine } from "../../model/diff";
import { judgedValue } from "../../model/compare";
import { digitsFor, formatDuration, formatMoment, formatValue, tellApart } from "../../model/format";
import type { Criterion } from "../../model/criterion";
import { isSystem } from "../../model/metrics";
import { durationOf } from "../../model/status";
import { locale, t } from "../../i18n";
import { ParamText } from "../../parts/ParamText";
import { StatusGlyph, statusWord } from "../../parts/Status";
import { useMedia, useStore } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { MenuButton } from "../../ui/Menu";
import { printing } from "../../ui/printing";
import { Link } from "../../ui/router";
import { Swatch } from "../../ui/Swatch";
import { runPath } from "../../url/routes";

interface Props {
  rows: Row[];
  slot: (id: string) => number | null;
  base: string;
  criterion: Criterion;
  onBase: (id: string) => void;
  /** Absent where the set is a search. */
  onRemove?: (id: string) => void;
}

const keysOf = (records: readonly object[]) => [...new Set(records.flatMap((r) => Object.keys(r)))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
const WIDE = { label: 168, column: 132, name: 44 };
const NARROW = { label: 108, column: 116, name: 36 };

const MORE = 3;
/** On paper there is no scrolling: so many runs stand beside one another, the next below them. */
const [PAPER_COLUMNS, PAPER_RUNS] = [4, 100];

const blocks = (count: number, size: number) => Array.from({ length: Math.ceil(count / size) }, (_, i): [number, number] => [i * size, Math.min(count, (i + 1) * size)]);

/** The columns in view of a pane that scrolls sideways, with some more on each side. */
function useWindow(count: number, label: number, column: number) {
  const pane = useRef<HTMLDivElement>(null);
  const [[from, to], setRange] = useState<[number, number]>([0, Math.min(count, 16)]);
  useEffect(() => {
    const element = pane.current;
    if (!element) return;
    const look = () => {
      const first = Math.max(0, Math.floor(element.scrollLeft / column) - MORE);
      const last = Math.min(count, Math.ceil((element.scrollLeft + element.clientWidth - label) / column) + MORE);
      setRange((old) => (old[0] === first && old[1] === last ? old : [first, last]));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [count, label, column]);
  return { pane, from, to: Math.min(to, count) };
}

/** Rows of one kind: differing ones first, equal ones folded into one line with their count. */
function Section({ title, lines, count, render }: { title: string; lines: CompareLine<unknown>[]; count: number; render: (line: CompareLine<unknown>) => ReactNode }) {
  const [unfolded, setOpen] = useState(false);
  const open = useStore(printing) || unfolded;
  const { differing, equal } = fold(lines);
  if (!lines.length) return null;
  return (
    <tbody>
      <tr className="sech"><th scope="rowgroup" colSpan={count + 1}><span>{title}</span></th></tr>
      {differing.map(render)}
      {equal.length > 0 && (
        <tr className="folded"><td className="l" colSpan={count + 1}>
          <button type="button" className="linkish" aria-expanded={open} onClick={() => setOpen(!unfolded)}><Icon name={open ? "down" : "right"} small />{t.nEqual(equal.length)}</button>
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

/** Runs beside one another: rows that differ first, the best values marked. Of many runs only those in view are drawn. */
export function SideBySide({ rows: given, slot, base, criterion, onBase, onRemove }: Props) {
  const size = useMedia("(max-width: 720px)") ? NARROW : WIDE;
  const rows = useMemo(() => [...given].sort((a, b) => Number(b.run.run_id === base) - Number(a.run.run_id === base)), [given, base]);
  const paper = useStore(printing);
  const { pane, from, to } = useWindow(rows.length, size.label, size.column);
  const prefix = useMemo(() => commonPrefix(rows.map((r) => r.run.name)), [rows]);
  const params = useMemo(() => {
    const texts = rows.map((r) => Object.fromEntries(Object.entries(r.texts).flatMap(([k, v]) => (k.startsWith("params.") ? [[k.slice(7), v] as const] : []))));
    return textLines(keysOf(texts), texts).filter((line) => line.values.some((v) => v !== null));
  }, [rows]);
  const metrics = useMemo<CompareLine<number | null>[]>(() => keysOf(rows.map((r) => r.metrics)).filter((k) => !isSystem(k)).flatMap((key) => {
    const values = rows.map((r) => judgedValue(r.metrics[key]));
    return values.every((v) => v === null) ? [] : [{ key, values, differs: values.some((v) => !Object.is(v, values[0])) }];
  }), [rows]);
  const short = useMemo(() => tellApart([...params, ...metrics].map((line) => line.key), 26), [params, metrics]);
  const now = Date.now();
  const about = textLines([t.status, t.duration, t.started, t.user, t.commitOf], rows.map(({ run, texts }) => ({
    [t.status]: statusWord(run.status), [t.duration]: formatDuration(durationOf(run, now)), [t.started]: formatMoment(run.start_time, now, locale), [t.user]: run.user || null, [t.commitOf]: texts["tags.mlflow.source.git.commit"]?.slice(0, 7) ?? null,
  }))).filter((line) => line.values.some((v) => v !== null));
  const at = Math.max(0, rows.findIndex((r) => r.run.run_id === base));
  /** The columns of some runs; on screen with room for those that are out of view. */
  const columns = (from: number, to: number) => {
    const [before, after] = paper ? [0, 0] : [from * size.column, (rows.length - to) * size.column];
    const cells = <T,>(values: T[], cell: (value: T, i: number) => ReactNode) => (
      <>{before > 0 && <td className="gap" />}{values.slice(from, to).map((value, i) => cell(value, from + i))}{after > 0 && <td className="gap" />}</>
    );
    const count = 1 + (to - from) + Number(before > 0) + Number(after > 0);
    const text = (marked: boolean) => (line: CompareLine<unknown>) => (
      <tr key={line.key} data-testid="compare-row" data-key={line.key} data-differs={line.differs}>
        <th scope="row" className="l ell" title={line.key}>{short.get(line.key) ?? line.key}</th>
        {cells(line.values, (value, i) => <td key={i} className={marked && line.differs && value !== line.values[at] ? "diff" : ""} title={String(value ?? "")}>{value === null ? <span className="muted">–</span> : marked ? <ParamText text={String(value)} className="" /> : String(value)}</td>)}
      </tr>
    );
    const metric = (raw: CompareLine<unknown>) => {
      const line = raw as CompareLine<number | null>;
      const digits = digitsFor(line.values);
      const best = criterion.directed(line.key) ? bestOf(line.values, criterion.lower(line.key)) : new Set<number>();
      return (
        <tr key={line.key} data-testid="compare-row" data-key={line.key} data-differs={line.differs}>
          <th scope="row" className="l ell" title={line.key}>{short.get(line.key) ?? line.key}{criterion.part(line.key) !== "last" && <span className="muted"> {t.best}</span>}</th>
          {cells(line.values, (value, i) => <td key={i} className={`${best.has(i) ? "best" : ""}${value !== null && !Number.isFinite(value) ? " bad" : ""}`}>{formatValue(value, digits, locale)}</td>)}
        </tr>
      );
    };
    return (
      <table key={paper ? from : "screen"} className="plain fixed" style={paper ? undefined : { width: size.label + rows.length * size.column, minWidth: "100%" }}>
        <colgroup><col style={{ width: size.label }} />{before > 0 && <col style={{ width: before }} />}{rows.slice(from, to).map((r) => <col key={r.run.run_id} style={{ width: size.column }} />)}{after > 0 && <col style={{ width: after }} />}</colgroup>
        <thead>
          <tr>
            <td className="l" />
            {cells(rows, ({ run }) => (
              <th key={run.run_id} scope="col" title={run.name} data-testid="compare-column">
                <span className="row cmp-top">{run.run_id === base && <span className="muted" title={t.baseline}><Icon name="pin" small /></span>}<Swatch slot={slot(run.run_id)} /><StatusGlyph status={run.status} />
                  <MenuButton look="ghost" className="tiny" icon="more" label={t.actionsFor(run.name)} entries={() => [{ label: t.setBaseline, icon: "pin", checked: run.run_id === base, onSelect: () => onBase(run.run_id) }, ...(onRemove ? [{ label: t.removeRun(run.name), icon: "x" as const, onSelect: () => onRemove(run.run_id) }] : [])]} /></span>
                <Link className="cmp-name" to={runPath(run.experiment_id, run.run_id)}><HeadName name={run.name} prefix={prefix} most={size.name} /></Link>
              </th>
            ))}
          </tr>
        </thead>
        <Section title={t.parameters} lines={params} count={count - 1} render={text(true)} />
        <Section title={t.metrics} lines={metrics} count={count - 1} render={metric} />
        <Section title={t.run} lines={about} count={count - 1} render={text(false)} />
      </table>
    );
  };
  return (
    <section className="card sbs">
      <header><h2>{t.sideBySide}</h2><span className="muted">{t.differFirst}</span></header>
      <div ref={pane} className="sbs-scroll" tabIndex={0} role="region" aria-label={t.sideBySide} data-testid="side-by-side">
        {paper ? blocks(Math.min(rows.length, PAPER_RUNS), PAPER_COLUMNS).map(([first, last]) => columns(first, last)) : columns(from, to)}
        {paper && rows.length > PAPER_RUNS && <p className="note">{t.andMore(rows.length - PAPER_RUNS)}</p>}
      </div>
    </section>
  );
}
