import { lazy, Suspense, type ComponentType } from "react";
import { complain } from "./toast";

/** A dialog that is fetched when it is first shown. What cannot be fetched is told, and asked for again the next time. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const made = () => lazy(async (): Promise<{ default: ComponentType<P> }> => {
    try {
      return { default: await load() };
    } catch (error) {
      complain(error);
      Part = made();
      return { default: () => null };
    }
  });
  let Part = made();
  return (props: P) => {
    const Now: ComponentType<P> = Part;
    return <Suspense fallback={null}><Now {...props} /></Suspense>;
  };
}
