import type { ButtonHTMLAttributes, Ref } from "react";
import { Icon, type IconName } from "./Icon";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: IconName;
  look?: "plain" | "ghost" | "primary" | "danger";
  on?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** A button. With an icon and no text it needs an `aria-label`, which is also its tooltip. */
export function Button({ icon, look = "plain", on, children, className = "", ...rest }: ButtonProps) {
  const kind = look === "plain" ? "" : ` ${look}`;
  const only = children === undefined || children === null || children === false;
  return (
    <button type="button" title={only ? rest["aria-label"] : undefined} aria-pressed={on} {...rest}
      className={`btn${kind}${only ? " icon" : ""}${on ? " on" : ""} ${className}`}>
      {icon && <Icon name={icon} small={!only} />}
      {children}
    </button>
  );
}

interface SegmentProps<T extends string> {
  label: string;
  value: T;
  options: { value: T; label: string; icon?: IconName }[];
  onChange: (value: T) => void;
}

/** One of a few: a row of buttons of which one is pressed. */
export function Segment<T extends string>({ label, value, options, onChange }: SegmentProps<T>) {
  return (
    <div className="seg" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} className={option.value === value ? "on" : ""} onClick={() => onChange(option.value)}>
          {option.icon && <Icon name={option.icon} small />}
          {option.label}
        </button>
      ))}
    </div>
  );
}
