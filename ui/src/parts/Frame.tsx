import { useState, type ReactNode } from "react";
import { t } from "../i18n";
import { Icon, Logo, type IconName } from "../ui/Icon";
import { useKeys } from "../ui/keys";
import { Link, navigate } from "../ui/router";
import { Toasts } from "../ui/toast";
import type { Route } from "../url/routes";
import { useMedia, useStored } from "../ui/hooks";
import { KeyHelp } from "./KeyHelp";
import { SettingsButton } from "./Settings";
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

/** Rail, page and, on small screens, the tab bar below. */
export function Frame({ page, children }: { page: PageName; children: ReactNode }) {
  const [help, setHelp] = useState(false);
  const [rail, setRail] = useStored("logbuch.rail", "auto");
  const roomy = useMedia("(min-width: 1100px)");
  const overview = page === "home" || page === "experiments";
  const wide = roomy && overview && rail !== "narrow";
  useKeys({ "?": () => setHelp(true), "g h": () => navigate("/"), "g e": () => navigate("/experiments"), "g m": () => navigate("/models"), "g c": () => navigate("/compare"), "[": () => setRail(wide ? "narrow" : null) });
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
        {link(false)}
        {wide && <FolderTree />}
        <span className="grow" />
        <button type="button" className="nav" title={`${t.keys} (?)`} aria-label={t.keys} onClick={() => setHelp(true)}><Icon name="keyboard" />{wide && <span>{t.keys}</span>}</button>
        <SettingsButton named={wide} />
      </nav>
      {children}
      <nav className="tabbar" aria-label={t.mainNav}>
        {link(true)}
        <SettingsButton named />
      </nav>
      {help && <KeyHelp onClose={() => setHelp(false)} />}
      <Toasts />
    </div>
  );
}
