import { useCallback, useRef, useState } from "react";
import type { Columns } from "../../api/table";
import { t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { Popover } from "../../ui/Popover";
import type { ExperimentView } from "../../url/experiment";

const MOST_KEYS = 3;
const MOST_LISTED = 200;

interface Props {
  view: ExperimentView;
  change: (change: Partial<ExperimentView>) => void;
  columns: Columns | undefined;
}

function choices(columns: Columns): { id: string; name: string; note: string }[] {
  const keysOf = (kind: "params" | "tags") => columns[kind].filter((k) => kind === "params" || !k.key.startsWith("mlflow.")).map((k) => ({ id: `${kind}.${k.key}`, name: k.key, note: t.values(k.distinct), distinct: k.distinct }));
  const varied = [...keysOf("params"), ...keysOf("tags")].sort((a, b) => Number(a.distinct < 2) - Number(b.distinct < 2));
  return [...varied, { id: "attributes.status", name: t.status, note: "" }, { id: "attributes.user_id", name: t.user, note: "" }];
}

/** What the runs are grouped by: up to three parameters or tags. */
export function GroupMenu({ view, change, columns }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState("");
  const close = useCallback(() => setOpen(false), []);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = columns && open ? choices(columns).filter((c) => words.every((w) => c.name.toLowerCase().includes(w))) : [];
  const full = view.group.length >= MOST_KEYS;
  const toggle = (id: string) => change({ group: view.group.includes(id) ? view.group.filter((g) => g !== id) : [...view.group, id], open: [] });
  const label = view.group.map((g) => g.slice(g.indexOf(".") + 1)).join(", ");
  return (
    <>
      <Button ref={button} id="group-menu" icon="group" on={view.group.length > 0} className="hide-s" aria-haspopup="dialog" aria-expanded={open} data-testid="group-menu" onClick={() => setOpen(!open)}>
        <span className="ell sortname">{label ? t.groupedBy(label) : t.group}</span>
      </Button>
      <Popover anchor={button} open={open} onClose={close} label={t.groupBy}>
        <div className="chooser">
          <label className="search wide"><Icon name="search" small /><input value={search} placeholder={t.searchKeys} aria-label={t.searchKeys} onChange={(e) => setSearch(e.target.value)} /></label>
          <div className="chooser-list">
            <fieldset>
              <legend>{full ? t.mostGroupKeys : t.groupBy}</legend>
              {found.slice(0, MOST_LISTED).map((c) => (
                <label key={c.id} className="mi">
                  <input type="checkbox" className="cb" checked={view.group.includes(c.id)} disabled={full && !view.group.includes(c.id)} onChange={() => toggle(c.id)} />
                  <span className="grow ell">{c.name}</span><span className="muted num">{c.note}</span>
                </label>
              ))}
              {found.length === 0 && <p className="muted none">{t.noColumn}</p>}
            </fieldset>
          </div>
          {view.group.length > 0 && <div className="chooser-end"><Button look="ghost" icon="x" onClick={() => { change({ group: [], open: [] }); close(); }}>{t.noGroup}</Button></div>}
        </div>
      </Popover>
    </>
  );
}
