import { useState } from 'react';
import { useAdmin } from './use-admin.tsx';

export interface Act {
  readonly busy: boolean;
  readonly error: unknown;
  /** Carries it out; everything that is shown is asked anew afterwards. Answers whether it succeeded. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
  readonly forget: () => void;
}

/** Something that changes the authority, with what became of it. */
export function useAct(): Act {
  const { answers } = useAdmin();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  return {
    busy,
    error,
    async run(work) {
      setBusy(true);
      setError(undefined);
      try {
        await work();
        answers.changed();
        return true;
      } catch (cause) {
        setError(cause);
        return false;
      } finally {
        setBusy(false);
      }
    },
    forget: () => setError(undefined),
  };
}
