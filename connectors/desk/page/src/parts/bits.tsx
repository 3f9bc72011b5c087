import type {ComponentChildren} from 'preact';
import {useLayoutEffect, useRef} from 'preact/hooks';
import {byId, chordFor} from '../commands';
import type {Desk} from '../desk';
import {full, relative} from '../format';
import {chordAria, chordText} from '../keys';
import {locale, t} from '../messages';
import {pieces} from '../text';

// Words of customers and of other systems, in their own language where it is known.
export function Said({text, lang, max}: {text: string; lang?: string | undefined; max?: number}) {
  return (
    <bdi class="said" lang={lang || undefined}>
      {pieces(text, max).map((piece) =>
        piece.mark ? <span class="acting">{piece.text}</span> : piece.text,
      )}
    </bdi>
  );
}

// A moment: how long ago in words, in full as a tooltip.
export function Ago({at, now}: {at: number | undefined; now: number}) {
  if (at === undefined) return null;
  return (
    <time dateTime={new Date(at).toISOString()} title={full(at, locale())}>
      {relative(at, now, locale())}
    </time>
  );
}

// A button for a command, with its chord.
export function CommandButton({
  desk,
  id,
  children,
  pressed,
}: {
  desk: Desk;
  id: string;
  children: ComponentChildren;
  pressed?: boolean;
}) {
  const command = byId(id);
  const chord = chordFor(command);
  return (
    <button
      type="button"
      class="command"
      aria-pressed={pressed}
      aria-keyshortcuts={chord ? chordAria(chord) : undefined}
      disabled={!command.available(desk)}
      onClick={() => command.run(desk)}
    >
      {children}
      {chord && <kbd aria-hidden="true">{chordText(chord)}</kbd>}
    </button>
  );
}

// What is read out although focus is elsewhere. In every modal dialog too, since a dialog silences the rest of the page.
export function Announcements({desk}: {desk: Desk}) {
  return (
    <div class="unseen">
      <div role="alert" aria-live="assertive" data-testid="urgent">
        {desk.urgent.value}
      </div>
    </div>
  );
}

// A modal dialog on the browser's own, which keeps focus inside and gives it back. `onClose` runs on Esc as well.
export function Dialog({
  desk,
  label,
  onClose,
  children,
  wide,
}: {
  desk: Desk;
  label: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = element.current;
    if (!dialog) return undefined;
    const before = document.activeElement;
    dialog.showModal();
    // The browser would choose the closing button, which stands first.
    dialog
      .querySelector<HTMLElement>('input, select, textarea, .primary, .dialog-body button')
      ?.focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && document.activeElement === document.body) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      aria-label={label}
      class={wide ? 'wide' : undefined}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class="dialog">
        <div class="dialog-head">
          <h2>{label}</h2>
          <button type="button" class="plain" onClick={onClose} aria-label={t('close')}>
            ✕
          </button>
        </div>
        <div class="dialog-body">{children}</div>
      </div>
      <Announcements desk={desk} />
    </dialog>
  );
}

// Several choices in a row of buttons.
export function Alert({text}: {text: string}) {
  return text ? (
    <p class="failed" role="alert">
      {text}
    </p>
  ) : null;
}
