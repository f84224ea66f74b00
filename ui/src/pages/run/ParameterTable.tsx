import { useState } from "react";
import { locale, t } from "../../i18n";
import { formatCount, formatParam } from "../../model/format";
import { paramsAsFlags, paramsAsJson, paramsAsYaml } from "../../model/params";
import { ParamText } from "../../parts/ParamText";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import { Icon } from "../../ui/Icon";
import { useStore } from "../../ui/hooks";
import { printing } from "../../ui/printing";
import { copyText } from "../../ui/toast";

interface Props {
  params: Record<string, string>;
  /** Values that most runs have, where this run's differ; those rows come first. */
  usual?: Record<string, string>;
  large?: boolean;
}

const FILTER_FROM = 15;
/** Beside other things a long list is cut until somebody wants all of it. */
const FIRST = 60;
/** So much of a key's end stays in view: of keys of one configuration it is what tells them apart. */
const TAIL = 14;

function Key({ name }: { name: string }) {
  if (name.length < 2 * TAIL) return <dt className="ell" title={name}>{name}</dt>;
  return <dt className="mid" title={name}><span className="ell">{name.slice(0, -TAIL)}</span><span>{name.slice(-TAIL)}</span></dt>;
}

/** Parameters, the differing ones first, with a filter once there are many. */
export function ParameterTable({ params, usual = {}, large = false }: Props) {
  const [search, setSearch] = useState("");
  const [unfolded, setUnfolded] = useState(large);
  const paper = useStore(printing);
  const all = unfolded || paper;
  const keys = Object.keys(params).sort((a, b) => Number(b in usual) - Number(a in usual) || a.localeCompare(b, undefined, { numeric: true }));
  const words = search.toLowerCase();
  const shown = keys.filter((key) => key.toLowerCase().includes(words) || params[key]!.toLowerCase().includes(words));
  const copies = (): MenuEntry[] => [
    { label: t.copyJson, icon: "copy", onSelect: () => void copyText(paramsAsJson(params)) },
    { label: t.copyYaml, icon: "copy", onSelect: () => void copyText(paramsAsYaml(params)) },
    { label: t.copyFlags, icon: "copy", onSelect: () => void copyText(paramsAsFlags(params)) },
  ];
  return (
    <section className={`card params${large ? " large" : ""}`}>
      <header>
        <h2>{t.parameters}</h2><span className="muted num">{keys.length || ""}</span>
        {keys.length > 0 && <span className="right"><MenuButton look="ghost" className="tiny" icon="more" label={`${t.parameters}: ${t.more}`} entries={copies} /></span>}
      </header>
      {(large ? keys.length > 1 : keys.length >= FILTER_FROM) && <div className="padded"><label className="search wide"><Icon name="search" small /><input value={search} placeholder={t.filterParams} aria-label={t.filterParams} onChange={(e) => setSearch(e.target.value)} /></label></div>}
      {keys.length > 0 && shown.length === 0 && <p className="note">{t.noParamMatches}</p>}
      {keys.length === 0 && <p className="note">{t.noParams}</p>}
      <dl>
        {(all ? shown : shown.slice(0, FIRST)).map((key) => (
          <div key={key} className={`pr${key in usual ? " diff" : ""}`} data-testid="param-row" data-key={key}>
            <Key name={key} />
            <dd>{key in usual && <s className="ell" title={`${t.mostCommon}: ${usual[key]}`}>{formatParam(usual[key]!)}</s>}{large ? <span className="ell">{params[key]}</span> : <ParamText text={params[key]!} />}</dd>
          </div>
        ))}
      </dl>
      {!all && shown.length > FIRST && <div className="padded after"><button type="button" className="linkish" onClick={() => setUnfolded(true)}>{t.allParams(formatCount(shown.length, locale))}</button></div>}
    </section>
  );
}
