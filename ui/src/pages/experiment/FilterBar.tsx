import type { Ref } from "react";
import type { Columns } from "../../api/table";
import type { TableState } from "../../api/tableStore";
import { sortedMetric, type Column } from "../../model/columns";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { Button } from "../../ui/Button";
import { MenuButton } from "../../ui/Menu";
import type { ExperimentView, SortKey } from "../../url/experiment";
import { ColumnChooser } from "./ColumnChooser";
import { FilterField } from "./FilterField";
import { GroupMenu } from "./GroupMenu";
import type { MainMetric } from "./useExperiment";

interface Props {
  inputRef: Ref<HTMLInputElement>;
  view: ExperimentView;
  change: (change: Partial<ExperimentView>, replace?: boolean) => void;
  columns: Columns | undefined;
  state: TableState;
  all: Column[];
  /** How many columns are hidden for having one value. */
  hidden: number;
  sort: SortKey[];
  main: MainMetric;
}

const label = (key: string) => ({ "attributes.start_time": t.started, "attributes.user_id": t.user, "attributes.run_name": t.run, "attributes.duration": t.duration })[key] ?? key.slice(key.indexOf(".") + 1) + (/^(min|max|best):/.exec(key) ? ` ${key.slice(0, key.indexOf(":"))}` : "");

export function FilterBar({ inputRef, view, change, columns, state, all, hidden, sort, main }: Props) {
  const total = columns?.runs ?? state.total;
  const count = view.q && total >= state.total ? t.ofTotal(formatCount(state.total, locale), formatCount(total, locale)) : t.runs(state.total);
  const first = sort[0];
  const descFirst = (key: string) => {
    const metric = sortedMetric(key);
    return metric ? !main.lower(metric.key) : key === "attributes.start_time" || key === "attributes.duration";
  };
  const sorts = () => [{ key: "attributes.start_time", column: null }, ...all.filter((c) => c.sort && c.kind !== "started").map((c) => ({ key: c.sort!, column: c }))].map(({ key }) => ({
    label: label(key), checked: first?.key === key,
    onSelect: () => change({ sort: [{ key, desc: first?.key === key ? !first.desc : descFirst(key) }] }),
  }));
  return (
    <div className="bar">
      <FilterField inputRef={inputRef} value={view.q} error={state.error} columns={columns} count={state.fresh ? "" : count} onChange={(q) => change({ q, zoom: null }, true)} />
      <MenuButton label={t.sortBy} icon="sort" entries={sorts} aria-label={`${t.sortBy}: ${first ? label(first.key) : ""}`}><span className="hide-s ell sortname">{first ? label(first.key) : t.sortBy}</span></MenuButton>
      <GroupMenu view={view} change={change} columns={columns} />
      <Button className="hide-s" icon="diff" on={view.diff} title={view.diff && hidden > 0 ? t.hiddenEqual(hidden) : undefined} onClick={() => change({ diff: !view.diff })}>{t.onlyDiffering}</Button>
      <ColumnChooser view={view} change={change} columns={columns} shown={all} />
      {state.loading && !state.fresh && <span className="vh" role="status">{t.loadingText}</span>}
    </div>
  );
}
