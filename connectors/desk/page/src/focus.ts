// Moves focus to the element of that id as soon as the change that shows it is drawn: within this very task, so that the
// next key stroke already goes there. Only after an act of the person.
export function focusSoon(id: string): void {
  const take = () => document.getElementById(id)?.focus();
  queueMicrotask(() => {
    if (document.getElementById(id)) take();
    else requestAnimationFrame(take);
  });
}
