import { type ReactNode, useEffect, useId, useRef } from 'react';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The platform's own modal: keeps the focus, gives it back, and closes with Escape. */
export function Dialog({ title, onClose, children }: DialogProps): ReactNode {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = box.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={box} aria-labelledby={id} onCancel={onClose} onClose={onClose}>
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" className="small" onClick={onClose}>
          Close
        </button>
      </div>
      {children}
    </dialog>
  );
}
