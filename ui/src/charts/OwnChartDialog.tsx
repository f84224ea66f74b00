import { useState, type FormEvent } from "react";
import { matchesGlob } from "../model/metrics";
import { t } from "../i18n";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { MOST_OWN_KEYS, type OwnChart } from "../url/board";

interface Props {
  /** The chart that is edited; null for a new one. */
  chart: OwnChart | null;
  taken: string[];
  keys: readonly string[];
  onSave: (chart: OwnChart) => void;
  onClose: () => void;
}

const MOST_SHOWN = 200;

/** Puts any metrics together in one chart. */
export function OwnChartDialog({ chart, taken, keys, onSave, onClose }: Props) {
  const [title, setTitle] = useState(chart?.title ?? "");
  const [chosen, setChosen] = useState<string[]>(chart?.keys ?? []);
  const [search, setSearch] = useState("");
  const found = keys.filter((key) => matchesGlob(key, search) && !chosen.includes(key));
  const name = title.trim() || chosen.join(", ");
  const problem = taken.includes(name) ? t.chartNameTaken : chosen.length > MOST_OWN_KEYS ? t.mostKeys(MOST_OWN_KEYS) : "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen.length && !problem) onSave({ title: name, keys: chosen });
  };
  const line = (key: string, on: boolean) => (
    <label key={key} className="pick"><input type="checkbox" className="cb" checked={on} onChange={() => setChosen(on ? chosen.filter((k) => k !== key) : [...chosen, key])} /><span className="ell" title={key}>{key}</span></label>
  );
  return (
    <Dialog title={chart ? t.editChart : t.newChart} onClose={onClose} wide>
      <form onSubmit={submit}>
        <label className="field"><span>{t.chartTitle}</span><input value={title} placeholder={chosen.join(", ")} autoComplete="off" onChange={(e) => setTitle(e.target.value)} /></label>
        <label className="field"><span>{t.metrics}</span><input value={search} placeholder="train/*" autoComplete="off" spellCheck={false} onChange={(e) => setSearch(e.target.value)} /></label>
        <div className="picks" role="group" aria-label={t.metrics}>
          {chosen.map((key) => line(key, true))}
          {found.slice(0, MOST_SHOWN).map((key) => line(key, false))}
          {found.length > MOST_SHOWN && <p className="muted">{t.andMore(found.length - MOST_SHOWN)}</p>}
          {found.length + chosen.length === 0 && <p className="muted">{t.noChart}</p>}
        </div>
        {problem && <p className="bad" role="alert">{problem}</p>}
        <div className="dialog-end"><Button look="ghost" onClick={onClose}>{t.cancel}</Button><Button type="submit" look="primary" disabled={!chosen.length || problem !== ""}>{t.save}</Button></div>
      </form>
    </Dialog>
  );
}
