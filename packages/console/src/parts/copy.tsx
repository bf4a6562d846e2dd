import { type ReactNode, useEffect, useState } from 'react';

/** A command, and a button that puts it on the clipboard. */
export function CommandLine({
  text,
  label = 'The same as a command',
}: {
  text: string;
  label?: string;
}): ReactNode {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  return (
    <div className="command">
      <span className="quiet">{label}</span>
      <code>{text}</code>
      <button type="button" className="small" onClick={copy} aria-label={`Copy: ${text}`}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}
