import { type ReactNode, useEffect, useId, useState } from 'react';

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  /** Value → what it is called. */
  readonly of: Readonly<Record<string, string>>;
  readonly any?: string;
  readonly onChange: (value: string | undefined) => void;
}

/** One of several, or any. */
export function Choice({ label, value, of, any = 'Any', onChange }: ChoiceProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value || undefined)}>
        <option value="">{any}</option>
        {Object.entries(of).map(([each, word]) => (
          <option key={each} value={each}>
            {word}
          </option>
        ))}
      </select>
    </div>
  );
}

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly type?: 'text' | 'search' | 'datetime-local';
  readonly onChange: (value: string | undefined) => void;
}

/** Milliseconds of silence after which what was typed is asked for. */
const TYPED_MS = 250;

/** Text that takes effect when the typing rests, or at Enter. */
export function TextFilter({ label, value, placeholder, type = 'search', onChange }: TextProps): ReactNode {
  const id = useId();
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => onChange(typed.trim() === '' ? undefined : typed.trim()), TYPED_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={typed}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}
