import { useCallback, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { keyNames } from "../i18n";
import { Button, type ButtonProps } from "./Button";
import { Icon, type IconName } from "./Icon";
import { Popover } from "./Popover";

export type MenuEntry =
  | "line"
  | { label: string; icon?: IconName; checked?: boolean; danger?: boolean; hint?: string; href?: string; onSelect?: () => void };

function move(event: KeyboardEvent<HTMLElement>): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role^='menuitem']")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items[(to + items.length) % items.length]?.focus();
}

export function MenuList({ entries, onDone }: { entries: MenuEntry[]; onDone: () => void }) {
  return (
    <div className="menu" onKeyDown={move} role="presentation">
      {entries.map((entry, i) => {
        if (entry === "line") return <hr key={i} />;
        const inside = (
          <>
            {entry.icon && <Icon name={entry.icon} small />}
            <span className="grow">{entry.label}</span>
            {entry.hint && <span className="muted">{keyNames(entry.hint).join(" ")}</span>}
            {entry.checked && <Icon name="check" small />}
          </>
        );
        const role = entry.checked === undefined ? "menuitem" : "menuitemradio";
        const shared = { role, tabIndex: -1, className: `mi${entry.danger ? " danger" : ""}`, "aria-checked": entry.checked };
        const select = () => {
          onDone();
          entry.onSelect?.();
        };
        return entry.href
          ? <a key={i} {...shared} href={entry.href} onClick={select}>{inside}</a>
          : <button key={i} type="button" {...shared} onClick={select}>{inside}</button>;
      })}
    </div>
  );
}

interface MenuButtonProps extends Omit<ButtonProps, "onClick"> {
  label: string;
  entries: () => MenuEntry[];
  align?: "start" | "end";
  children?: ReactNode;
}

/** A button that opens a menu; arrow keys move in it. */
export function MenuButton({ label, entries, align = "end", children, ...rest }: MenuButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  return (
    <>
      <Button ref={button} aria-haspopup="menu" aria-expanded={open} aria-label={children ? undefined : label} {...rest}
        onClick={(event) => {
          event.stopPropagation();
          setOpen(!open);
        }}>
        {children}
      </Button>
      <Popover anchor={button} open={open} onClose={close} label={label} role="menu" align={align}>
        <MenuList entries={open ? entries() : []} onDone={close} />
      </Popover>
    </>
  );
}
