import { useQuery } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { getServerInfo } from "../api/server";
import { language, loadLanguage, preferredLanguage, t } from "../i18n";
import { Segment } from "../ui/Button";
import { useStore, useStored, writeStored } from "../ui/hooks";
import { Icon } from "../ui/Icon";
import { KEYS_SETTING } from "../ui/keys";
import { Popover } from "../ui/Popover";
import { Link } from "../ui/router";

export type Theme = "system" | "light" | "dark";

export function applyTheme(next: Theme): void {
  writeStored("logbuch.theme", next === "system" ? null : next);
  dispatchEvent(new Event("logbuch:theme"));
}

export function applyLanguage(next: string): void {
  writeStored("logbuch.lang", next === "system" ? null : next);
  void loadLanguage(preferredLanguage(next, navigator.languages));
}

/** Theme, language and single keys, applied at once. */
export function SettingsPane() {
  const [theme, setTheme] = useStored("logbuch.theme", "system");
  const [wish, setWish] = useStored("logbuch.lang", "system");
  const [keys, setKeys] = useStored(KEYS_SETTING, "on");
  const info = useQuery({ queryKey: ["server-info"], queryFn: getServerInfo, staleTime: Infinity });
  const chooseTheme = (next: Theme) => {
    setTheme(next === "system" ? null : next);
    applyTheme(next);
  };
  const chooseLanguage = (next: string) => {
    setWish(next === "system" ? null : next);
    applyLanguage(next);
  };
  return (
    <div className="settings">
      <div><span>{t.theme}</span>
        <Segment<Theme> label={t.theme} value={theme as Theme} onChange={chooseTheme}
          options={[{ value: "system", label: t.system }, { value: "light", label: t.light }, { value: "dark", label: t.dark }]} /></div>
      <div><span>{t.language}</span>
        <Segment label={t.language} value={wish} onChange={chooseLanguage}
          options={[{ value: "system", label: t.system }, { value: "en", label: "English" }, { value: "de", label: "Deutsch" }]} /></div>
      <div><span>{t.keysSetting}</span>
        <Segment label={t.keysSetting} value={keys} onChange={(next) => setKeys(next === "on" ? null : next)} options={[{ value: "on", label: t.on }, { value: "off", label: t.off }]} /></div>
      {info.data && <p className="muted">{t.version(info.data.version)}{info.data.exposed && !info.data.login && <><br /><span className="warn">{t.exposed}</span></>}</p>}
    </div>
  );
}

export function SettingsButton({ named = false }: { named?: boolean }) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  useStore(language);
  return (
    <>
      <button ref={button} type="button" className="nav" title={named ? undefined : t.settings} aria-label={t.settings} aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="gear" />
        {named && <span>{t.settings}</span>}
      </button>
      <Popover anchor={button} open={open} onClose={close} label={t.settings} align="start"><SettingsPane /><p className="allset"><Link to="/settings" onClick={close}>{t.allSettings}</Link></p></Popover>
    </>
  );
}
