import { useEffect, useLayoutEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import { createPortal } from "react-dom";

interface PopoverProps {
  anchor: RefObject<HTMLElement | null>;
  open: boolean;
  onClose: () => void;
  label: string;
  role?: "menu" | "dialog" | "listbox";
  align?: "start" | "end";
  children: ReactNode;
}

const GAP = 4;
const EDGE = 8;

/** A floating pane beside its opener. Escape and a press outside close it, and the focus goes back to the opener. */
export function Popover({ anchor, open, onClose, label, role = "dialog", align = "end", children }: PopoverProps) {
  const pane = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<{ left: number; top: number; maxHeight: number } | null>(null);

  useLayoutEffect(() => {
    if (!open) return;
    const from = anchor.current?.getBoundingClientRect();
    const size = pane.current?.getBoundingClientRect();
    if (!from || !size) return;
    const below = innerHeight - from.bottom - GAP - EDGE;
    const above = from.top - GAP - EDGE;
    const up = below < Math.min(size.height, 220) && above > below;
    const height = Math.min(size.height, up ? above : below);
    const wish = align === "end" ? from.right - size.width : from.left;
    setAt({ left: Math.max(EDGE, Math.min(wish, innerWidth - size.width - EDGE)), top: up ? from.top - GAP - height : from.bottom + GAP, maxHeight: up ? above : below });
  }, [open, anchor, align]);

  useEffect(() => {
    if (!open) return;
    const opener = anchor.current;
    const first = pane.current?.querySelector<HTMLElement>("[data-autofocus], input, button:not(:disabled), a, [tabindex='0']");
    first?.focus();
    const outside = (event: PointerEvent) => {
      const target = event.target as Node;
      if (!pane.current?.contains(target) && !opener?.contains(target)) onClose();
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      onClose();
    };
    const node = pane.current;
    document.addEventListener("pointerdown", outside, true);
    document.addEventListener("keydown", escape, true);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      document.removeEventListener("keydown", escape, true);
      if (node?.contains(document.activeElement) || document.activeElement === document.body) opener?.focus();
    };
  }, [open, anchor, onClose]);

  if (!open) return null;
  // Not hidden while it is measured: what is hidden takes no focus.
  const style = at ? { left: at.left, top: at.top, maxHeight: at.maxHeight } : { left: 0, top: 0, opacity: 0 };
  return createPortal(
    <div ref={pane} className="pop" role={role} aria-label={label} style={style}>
      {children}
    </div>,
    // A menu belongs to a landmark; dialogs stand for themselves.
    (role === "menu" && document.getElementById("main")) || document.body,
  );
}
