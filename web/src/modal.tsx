import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './ui.tsx';

/** A modal dialog; the browser keeps the focus inside and closes it with Escape. */
export function Modal(props: { name: string; class?: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class={props.class} aria-label={props.name} onClose={props.onClose}
      onClick={(event) => event.target === event.currentTarget && event.currentTarget.close()}>
      <div class="dialog-body">
        <header><h2>{props.name}</h2>
          <button type="button" class="button plain" aria-label="Close" onClick={() => dialog.current?.close()}><Icon name="close" /></button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}
