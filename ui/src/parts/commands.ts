import { useEffect, useId } from "react";
import { createStore } from "../model/store";
import { useLatest } from "../ui/hooks";
import type { IconName } from "../ui/Icon";

/** Something the palette can do. */
export interface Command {
  label: string;
  icon?: IconName;
  key?: string;
  run: () => void;
}

const offered = new Map<string, () => Command[]>();
export const paletteOpen = createStore(false);
export const helpOpen = createStore(false);

/** All commands of what is mounted, those of the page before those of the frame. */
export const allCommands = (): Command[] => [...offered.values()].reverse().flatMap((list) => list());

/** Offers commands to the palette while mounted. */
export function useCommands(commands: () => Command[]): void {
  const id = useId();
  const latest = useLatest(commands);
  useEffect(() => {
    offered.set(id, () => latest.current());
    return () => void offered.delete(id);
  }, [id, latest]);
}
