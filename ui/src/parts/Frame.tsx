import { lazy, Suspense, useEffect, type ReactNode } from "react";
import { live } from "../api/live";
import { keyNames, locale, t } from "../i18n";
import { Icon, Logo, type IconName } from "../ui/Icon";
import { useKeys } from "../ui/keys";
import { Link, navigate } from "../ui/router";
import { printing, printPage } from "../ui/printing";
import { Toasts } from "../ui/toast";
import type { Route } from "../url/routes";
import { useMedia, useStore, useStored } from "../ui/hooks";
import { helpOpen, paletteOpen, useCommands, type Command } from "./commands";
import { KeyHelp } from "./KeyHelp";
import { applyLanguage, applyTheme, SettingsButton } from "./Settings";
import { FolderTree } from "./Sidebar";

type PageName = Route["page"];

function places(): { to: string; name: string; icon: IconName; pages: PageName[]; key: string }[] {
  return [
    { to: "/", name: t.home, icon: "home", pages: ["home"], key: "G H" },
    { to: "/experiments", name: t.experiments, icon: "flask", pages: ["experiments", "experiment", "run"], key: "G E" },
    { to: "/models", name: t.models, icon: "box", pages: ["models", "model"], key: "G M" },
    { to: "/compare", name: t.compare, icon: "compare", pages: ["compare"], key: "G C" },
  ];
}

const Palette = lazy(() => import("./Palette"));
const paletteKey = () => (/Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘ K" : keyNames("Ctrl K").join(" "));

/** Ctrl or Cmd with K opens the palette from everywhere, also from a field; not from another dialog. */
function usePaletteKey(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      paletteOpen.set(true);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}

/** What can be done everywhere. */
function frameCommands(pages: ReturnType<typeof places>): Command[] {
  return [
    ...pages.map(({ to, name, icon, key }) => ({ label: t.goTo(name), icon, key, run: () => navigate(to) })),
    { label: t.goTo(t.settings), icon: "gear", key: "G S", run: () => navigate("/settings") },
    { label: live.paused.get() ? t.resumeLive : t.pauseLive, icon: "undo", key: "P", run: () => live.pause(!live.paused.get()) },
    ...(["light", "dark", "system"] as const).map((theme): Command => ({ label: `${t.theme}: ${t[theme]}`, icon: "eye", run: () => applyTheme(theme) })),
    { label: `${t.language}: English`, icon: "gear", run: () => applyLanguage("en") },
    { label: `${t.language}: Deutsch`, icon: "gear", run: () => applyLanguage("de") },
    { label: t.printPage, icon: "file", run: () => void printPage() },
    { label: t.keyHelp, icon: "keyboard", key: "?", run: () => helpOpen.set(true) },
  ];
}

/** Rail, page and, on small screens, the tab bar below. */
export function Frame({ page, children }: { page: PageName; children: ReactNode }) {
  const help = useStore(helpOpen);
  const palette = useStore(paletteOpen);
  const paper = useStore(printing);
  const [rail, setRail] = useStored("logbuch.rail", "auto");
  const roomy = useMedia("(min-width: 1100px)");
  const overview = page === "home" || page === "experiments";
  const wide = roomy && overview && rail !== "narrow";
  useKeys({ "?": () => helpOpen.set(true), "p": () => live.pause(!live.paused.get()), "g h": () => navigate("/"), "g e": () => navigate("/experiments"), "g m": () => navigate("/models"), "g c": () => navigate("/compare"), "g s": () => navigate("/settings"), "[": () => setRail(wide ? "narrow" : null) });
  usePaletteKey();
  useCommands(() => frameCommands(places()));
  const link = (small: boolean) => places().map(({ to, name, icon, pages, key }) => {
    const on = pages.includes(page);
    return (
      <Link key={to} to={to} className={`nav${on ? " on" : ""}`} aria-current={on ? "page" : undefined} title={small ? undefined : `${name} (${key})`}>
        <Icon name={icon} />
        <span>{name}</span>
      </Link>
    );
  });
  return (
    <div className={`app${wide ? " wide" : ""}`}>
      <a className="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>{t.skip}</a>
      <nav className="rail" aria-label={t.mainNav}>
        <Link to="/" className="brand" aria-label="Logbuch"><Logo />{wide && <span>Logbuch</span>}</Link>
        <button type="button" className="nav searchnav" title={`${t.search} (${paletteKey()})`} aria-label={wide ? undefined : t.search} aria-keyshortcuts="Control+K Meta+K" onClick={() => paletteOpen.set(true)}><Icon name="search" />{wide && <><span>{t.search}</span><span className="grow" /><kbd aria-hidden="true">{paletteKey()}</kbd></>}</button>
        {link(false)}
        {wide && <FolderTree />}
        <span className="grow" />
        <button type="button" className="nav" title={`${t.keys} (?)`} aria-label={t.keys} onClick={() => helpOpen.set(true)}><Icon name="keyboard" />{wide && <span>{t.keys}</span>}</button>
        <SettingsButton named={wide} />
      </nav>
      {children}
      <nav className="tabbar" aria-label={t.mainNav}>
        {link(true)}
        <SettingsButton named />
      </nav>
      {help && <KeyHelp onClose={() => helpOpen.set(false)} />}
      {palette && <Suspense fallback={null}><Palette onClose={() => paletteOpen.set(false)} /></Suspense>}
      <Toasts />
      {paper && <p className="paperfoot"><span>{location.href}</span><span>{new Date().toLocaleString(locale === "en" ? "en-GB" : locale)}</span></p>}
    </div>
  );
}
