import "../styles/charts.css";
import { useEffect, useState, type CSSProperties } from "react";
import { locale, t } from "../i18n";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { MenuButton } from "../ui/Menu";
import type { XAxis } from "../url/experiment";
import type { ChartSettings } from "./types";

interface ChartBarProps {
  count: number;
  search: string;
  settings: ChartSettings;
  onSearch: (text: string) => void;
  onChange: (change: Partial<ChartSettings>) => void;
}

const SETTLE_MS = 150;

/** A smoothing slider that asks the server only when the hand rests. */
function Smoothing({ value, onChange }: { value: number; onChange: (value: number) => void }) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => onChange(draft), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [draft, value, onChange]);
  return (
    <label className="slider">
      <span>{t.smoothing}</span>
      <input type="range" min={0} max={0.99} step={0.01} value={draft} onChange={(e) => setDraft(Number(e.target.value))} style={{ "--at": `${(draft / 0.99) * 100}%` } as CSSProperties} />
      <span className="num">{draft.toLocaleString(locale, { minimumFractionDigits: 2 })}</span>
    </label>
  );
}

export function ChartBar({ count, search, settings, onSearch, onChange }: ChartBarProps) {
  const names: Record<XAxis, string> = { step: t.xStep, time: t.xTime, relative: t.xRelative };
  return (
    <div className="cbar">
      <label className="search">
        <Icon name="search" small />
        <input value={search} placeholder={t.nCharts(count)} aria-label={t.searchCharts} spellCheck={false} onChange={(e) => onSearch(e.target.value)} />
      </label>
      <span className="grow" />
      {settings.zoom && <Button look="ghost" icon="undo" onClick={() => onChange({ zoom: null })}>{t.resetZoom}</Button>}
      <Smoothing value={settings.smooth} onChange={(smooth) => onChange({ smooth })} />
      <MenuButton look="ghost" label={t.xAxis} aria-label={`${t.xAxis}: ${names[settings.x]}`}
        entries={() => (["step", "time", "relative"] as const).map((x) => ({ label: names[x], checked: x === settings.x, onSelect: () => onChange({ x, zoom: null }) }))}>
        {names[settings.x]} <Icon name="down" small />
      </MenuButton>
    </div>
  );
}
