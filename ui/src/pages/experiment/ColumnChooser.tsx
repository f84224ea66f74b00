import { useCallback, useMemo, useRef, useState } from "react";
import type { Columns } from "../../api/table";
import type { Column } from "../../model/columns";
import { t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { Popover } from "../../ui/Popover";
import type { ExperimentView } from "../../url/experiment";

interface Props {
  view: ExperimentView;
  change: (change: Partial<ExperimentView>) => void;
  columns: Columns | undefined;
  shown: Column[];
}

interface Choice {
  id: string;
  name: string;
  note: string;
}

function choices(columns: Columns): { title: string; list: Choice[] }[] {
  const share = (runs: number) => (columns.runs ? `${Math.round((runs / columns.runs) * 100)} %` : "");
  return [
    { title: t.runHead, list: [{ id: "run.duration", name: t.duration, note: "" }, { id: "run.started", name: t.started, note: "" }, { id: "run.user", name: t.user, note: "" }] },
    { title: t.metricsHead, list: columns.metrics.map((m) => ({ id: `metrics.${m.key}`, name: m.key, note: share(m.runs) })) },
    { title: t.paramsHead, list: columns.params.map((p) => ({ id: `params.${p.key}`, name: p.key, note: t.values(p.distinct) })) },
    { title: t.tagsHead, list: columns.tags.map((x) => ({ id: `tags.${x.key}`, name: x.key, note: share(x.runs) })) },
  ];
}

const MOST_LISTED = 300;

export function ColumnChooser({ view, change, columns, shown }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState("");
  const close = useCallback(() => setOpen(false), []);
  const ids = shown.filter((c) => c.kind !== "delta").map((c) => c.id);
  const groups = useMemo(() => (columns && open ? choices(columns) : []), [columns, open]);
  const total = columns ? columns.metrics.length + columns.params.length + columns.tags.length + 3 : 0;
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = groups.map((g) => {
    const list = g.list.filter((c) => words.every((w) => c.name.toLowerCase().includes(w)));
    return { ...g, list: list.slice(0, MOST_LISTED), every: list.map((c) => c.id) };
  }).filter((g) => g.list.length);
  const toggle = (id: string) => change({ cols: ids.includes(id) ? ids.filter((c) => c !== id) : [...ids, id] });
  return (
    <>
      <Button ref={button} id="column-chooser" icon="cols" className="hide-s" aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)}>
        {t.columns} <span className="muted num">{ids.length}/{total}</span>
      </Button>
      <Popover anchor={button} open={open} onClose={close} label={t.columns}>
        <div className="chooser">
          <label className="search wide"><Icon name="search" small /><input value={search} placeholder={t.searchColumns} aria-label={t.searchColumns} onChange={(e) => setSearch(e.target.value)} /></label>
          <div className="chooser-list">
            {found.map((group) => (
              <fieldset key={group.title}>
                <legend>{group.title}<span className="legend-act"><button type="button" className="linkish" onClick={() => change({ cols: [...ids, ...group.every.filter((id) => !ids.includes(id))] })}>{t.allColumns}</button><button type="button" className="linkish" onClick={() => change({ cols: ids.filter((id) => !group.every.includes(id)) })}>{t.noColumns}</button></span></legend>
                {group.list.map((c) => (
                  <label key={c.id} className="mi">
                    <input type="checkbox" className="cb" checked={ids.includes(c.id)} onChange={() => toggle(c.id)} />
                    <span className="grow ell">{c.name}</span>
                    <span className="muted num">{c.note}</span>
                  </label>
                ))}
                {group.every.length > group.list.length && <p className="muted none">{t.moreColumns(group.every.length - group.list.length)}</p>}
              </fieldset>
            ))}
            {found.length === 0 && <p className="muted none">{t.noColumn}</p>}
          </div>
          {view.cols && <div className="chooser-end"><Button look="ghost" icon="undo" onClick={() => change({ cols: null })}>{t.resetColumns}</Button></div>}
        </div>
      </Popover>
    </>
  );
}
