import { useQuery } from "@tanstack/react-query";
import { getServerInfo } from "../../api/server";
import { axisName } from "../../charts/ChartBar";
import { SmoothingSlider } from "../../charts/SmoothingSlider";
import { DEFAULTS_KEY } from "../../charts/useKept";
import { t } from "../../i18n";
import { SettingsPane } from "../../parts/Settings";
import { Top } from "../../parts/Top";
import { Button, Segment } from "../../ui/Button";
import { useStored, useTitle } from "../../ui/hooks";
import { say } from "../../ui/toast";
import { DEFAULT_BOARD, formatBoardSearch, parseBoardSearch, type BaseAxis, type Band } from "../../url/board";

/** Forgets what this browser keeps of the page: settings of charts, splits, recent pages. */
function forgetAll(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith("logbuch.") && key !== "logbuch.theme" && key !== "logbuch.lang") localStorage.removeItem(key);
  say(t.forgotten);
}

/** How charts begin where nothing else was chosen. */
function ChartDefaults() {
  const [text, setText] = useStored(DEFAULTS_KEY, "");
  const view = parseBoardSearch(text);
  const change = (part: Partial<typeof view>) => {
    const next = formatBoardSearch({ ...DEFAULT_BOARD, x: view.x, smooth: view.smooth, band: view.band, ...part });
    setText(next || null);
  };
  return (
    <section className="card">
      <header><h2>{t.chartDefaults}</h2></header>
      <div className="settings">
        <p className="muted">{t.chartDefaultsText}</p>
        <div><span /><SmoothingSlider value={view.smooth} onChange={(smooth) => change({ smooth })} /></div>
        <div><span>{t.xAxis}</span><Segment<BaseAxis> label={t.xAxis} value={view.x as BaseAxis} onChange={(x) => change({ x })} options={(["step", "time", "relative"] as const).map((x) => ({ value: x, label: axisName(x) }))} /></div>
        <div><span>{t.band}</span><Segment<Band> label={t.band} value={view.band} onChange={(band) => change({ band })} options={(["std", "stderr", "ci"] as const).map((band) => ({ value: band, label: t.bandShort[band] }))} /></div>
      </div>
    </section>
  );
}

function ServerCard() {
  const info = useQuery({ queryKey: ["server-info"], queryFn: getServerInfo, staleTime: Infinity });
  return (
    <section className="card">
      <header><h2>{t.server}</h2></header>
      <div className="settings">
        <div><span>{t.address}</span><span>{location.host}</span></div>
        <div><span>{t.versionWord}</span><span>{info.data?.version ?? "–"}</span></div>
        <div><span>{t.login}</span><span>{info.data ? (info.data.login ? t.on : info.data.exposed ? <span className="warn">{t.exposed}</span> : t.onlyHere) : "–"}</span></div>
      </div>
    </section>
  );
}

/** Theme, language and keys; how charts begin; what this browser keeps; the server. */
export default function SettingsPage() {
  useTitle(t.settings);
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={[{ label: t.settings }]} />
      <div className="body">
        <div className="setlay">
          <section className="card"><header><h2>{t.appearance}</h2></header><SettingsPane /></section>
          <ChartDefaults />
          <section className="card">
            <header><h2>{t.thisBrowser}</h2></header>
            <div className="settings"><p className="muted">{t.thisBrowserText}</p><div><span /><Button onClick={forgetAll}>{t.forget}</Button></div></div>
          </section>
          <ServerCard />
        </div>
      </div>
    </main>
  );
}
