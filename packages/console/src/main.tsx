import { createRoot } from 'react-dom/client';
import { Console } from './console.tsx';
import { BaseProvider } from './routing/navigation.tsx';
import { createSessionHolder } from './session/session.ts';
import { showTheme } from './parts/theme.tsx';

showTheme();
const authority =
  document.querySelector<HTMLMetaElement>('meta[name="countersign-issuer"]')?.content ?? location.origin;
const place = document.getElementById('console');
if (place !== null) {
  const base = `${new URL(authority).pathname.replace(/\/$/, '')}/console`;
  createRoot(place).render(
    <BaseProvider base={base}>
      <Console authority={authority} base={base} holder={createSessionHolder(authority)} />
    </BaseProvider>,
  );
}
