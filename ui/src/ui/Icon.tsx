/** Icons on a 16 px grid with a 1.5 px stroke. */
const PATHS = {
  home: "M2.5 7.5 8 3l5.5 4.5V13a.5.5 0 0 1-.5.5H9.8V10H6.2v3.5H3a.5.5 0 0 1-.5-.5z",
  flask: "M6.2 2.5h3.6M6.9 2.5v4L3.4 12.4a.8.8 0 0 0 .7 1.1h7.8a.8.8 0 0 0 .7-1.1L9.1 6.5v-4M5 10h6",
  box: "M8 2.2 13.5 5v6L8 13.8 2.5 11V5zM2.5 5 8 7.8 13.5 5M8 7.8v6",
  compare: "M5 2.5v11M11 2.5v11M2.5 5h5M8.5 10.5h5",
  gear: "M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 3a1.5 1.5 0 1 1 0 3a1.5 1.5 0 0 1 0-3M6 10a1.5 1.5 0 1 1 0 3a1.5 1.5 0 0 1 0-3",
  search: "M7 2.8a4.2 4.2 0 1 1 0 8.4a4.2 4.2 0 0 1 0-8.4m3.2 7.4 3.3 3.3",
  folder: "M2.2 4.2c0-.5.4-.9.9-.9h2.8l1.4 1.5h5.6c.5 0 .9.4.9.9v6.2c0 .5-.4.9-.9.9H3.1a.9.9 0 0 1-.9-.9z",
  right: "m6 4 4 4-4 4", left: "m10 4-4 4 4 4", down: "m4 6 4 4 4-4",
  cols: "M3.7 3h8.6c.7 0 1.2.5 1.2 1.2v7.6c0 .7-.5 1.2-1.2 1.2H3.7c-.7 0-1.2-.5-1.2-1.2V4.2c0-.7.5-1.2 1.2-1.2M6.2 3v10M9.8 3v10",
  sort: "M4.5 3v10m0 0L2.3 10.8M4.5 13l2.2-2.2M11.5 13V3m0 0L9.3 5.2M11.5 3l2.2 2.2",
  arrowDown: "M8 3.5v9m0 0L4.8 9.3M8 12.5l3.2-3.2", arrowUp: "M8 12.5v-9m0 0L4.8 6.7M8 3.5l3.2 3.2",
  copy: "M6.9 5.5h5.2c.8 0 1.4.6 1.4 1.4v5.2c0 .8-.6 1.4-1.4 1.4H6.9c-.8 0-1.4-.6-1.4-1.4V6.9c0-.8.6-1.4 1.4-1.4M10.5 3.2a.9.9 0 0 0-.8-.7H3.4a.9.9 0 0 0-.9.9v6.3c0 .4.3.7.7.8",
  pin: "M9.6 2.5 13.5 6.4l-2.6.9-2.2 2.2-.4 2.8-4.6-4.6 2.8-.4 2.2-2.2zM6 10l-3.3 3.3",
  tag: "M8.6 2.6h4.3c.3 0 .5.2.5.5v4.3L7.8 13 3 8.2zM10.7 5.2h.2",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  share: "M6.8 9.2 13 3m0 0H9.2M13 3v3.8M12.5 9.5V12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V4.5a1 1 0 0 1 1-1h2.5",
  full: "M9.8 2.8h3.4v3.4M6.2 13.2H2.8V9.8M13.2 2.8 9.3 6.7M2.8 13.2l3.9-3.9",
  download: "M8 2.8v7m0 0L5.2 7M8 9.8 10.8 7M3 12.8h10",
  chart: "M2.5 2.5v11h11M5 10l2.5-3 2 1.6L13 4.5",
  table: "M3.7 3h8.6c.7 0 1.2.5 1.2 1.2v7.6c0 .7-.5 1.2-1.2 1.2H3.7c-.7 0-1.2-.5-1.2-1.2V4.2c0-.7.5-1.2 1.2-1.2M2.5 6.2h11M2.5 9.6h11M6.4 6.2V13",
  split: "M3.7 3h8.6c.7 0 1.2.5 1.2 1.2v7.6c0 .7-.5 1.2-1.2 1.2H3.7c-.7 0-1.2-.5-1.2-1.2V4.2c0-.7.5-1.2 1.2-1.2M8.4 3v10",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M6.8 7v3.8M9.2 7v3.8",
  undo: "M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M3 6.5 6 3.5M3 6.5l3 3",
  x: "m4 4 8 8M12 4l-8 8", plus: "M8 3v10M3 8h10", check: "m3.5 8.5 3 3 6-7",
  diff: "M5 2.5v6M2 5.5h6M2 12.5h6M13.5 2.5l-5 11",
  file: "M4 2.5h5l3.2 3.2v7.3a.5.5 0 0 1-.5.5H4a.5.5 0 0 1-.5-.5V3a.5.5 0 0 1 .5-.5zM9 2.5v3.2h3.2",
  filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
  group: "M2.5 3.5h5M5 8h8.5M5 12.5h8.5M2.5 3.5v9",
  archive: "M2.5 3.5h11v3h-11zM3.5 6.5v6.2c0 .2.1.3.3.3h8.4c.2 0 .3-.1.3-.3V6.5M6.5 9h3",
  bookmark: "M4.5 2.8h7v10.4L8 10.4l-3.5 2.8z",
  warn: "M8 2.8 14 13H2zM8 6.6v3M8 11.4v.1",
  pencil: "m3 13 .7-3L10.5 3.2a1 1 0 0 1 1.4 0l.9.9a1 1 0 0 1 0 1.4L6 12.3z",
  keyboard: "M3 4h10c.6 0 1 .4 1 1v6c0 .6-.4 1-1 1H3c-.6 0-1-.4-1-1V5c0-.6.4-1 1-1M5 7h.01M8 7h.01M11 7h.01M5.5 9.5h5",
  eye: "M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8zM8 6.4a1.6 1.6 0 1 1 0 3.2a1.6 1.6 0 0 1 0-3.2",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, small = false }: { name: IconName; small?: boolean }) {
  return (
    <svg className={`ico${small ? " s" : ""}${name === "more" ? " dots" : ""}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg viewBox="0 0 22 22" width="22" height="22" aria-hidden="true" className="logo">
      <rect x="2.5" y="1.5" width="17" height="19" rx="4" fill="var(--ink)" />
      <path d="M6.6 1.5v19" stroke="var(--surface)" strokeOpacity=".35" />
      <path d="M9 6.2c1.2 6 3 7.8 7.6 8.6" fill="none" stroke="var(--surface)" strokeWidth="1.7" strokeLinecap="round" />
      <circle cx="16.4" cy="14.8" r="1.5" fill="var(--surface)" />
    </svg>
  );
}
