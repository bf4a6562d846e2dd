import { type ReactNode, useState } from 'react';

const PLACE = 'countersign.theme';
const THEMES = { system: 'As the system', light: 'Light', dark: 'Dark' } as const;
type Theme = keyof typeof THEMES;

function stored(): Theme {
  const value = localStorage.getItem(PLACE);
  return value === 'light' || value === 'dark' ? value : 'system';
}

/** Shows what was chosen; without a choice the system decides. */
export function showTheme(theme: Theme = stored()): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function ThemeSwitch(): ReactNode {
  const [theme, setTheme] = useState<Theme>(stored);
  const choose = (next: Theme): void => {
    setTheme(next);
    if (next === 'system') localStorage.removeItem(PLACE);
    else localStorage.setItem(PLACE, next);
    showTheme(next);
  };
  return (
    <label className="theme">
      <span className="unseen">Colours</span>
      <select value={theme} onChange={(event) => choose(event.target.value as Theme)}>
        {Object.entries(THEMES).map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}
