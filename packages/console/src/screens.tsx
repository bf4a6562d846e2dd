import { type ComponentType, lazy, type ReactNode } from 'react';
import type { ScreenProps } from './screen-props.ts';
import { IdentitiesScreen } from './screens/identities.tsx';
import { OverviewScreen } from './screens/overview.tsx';

interface ScreenEntry {
  readonly name: string;
  readonly title: string;
  /** Without it the screen is not offered. */
  readonly scope?: string;
  readonly Shown: ComponentType<ScreenProps>;
}

const IdentityScreen = lazy(async () => ({
  default: (await import('./screens/identity.tsx')).IdentityScreen,
}));

/** One screen for all machines, and one for each of them. */
function Identities(props: ScreenProps): ReactNode {
  return props.subject === undefined ? (
    <IdentitiesScreen {...props} />
  ) : (
    <IdentityScreen {...props} key={props.subject} />
  );
}

export const SCREENS: readonly ScreenEntry[] = [
  { name: 'overview', title: 'Overview', Shown: OverviewScreen },
  { name: 'identities', title: 'Identities', scope: 'identities:read', Shown: Identities },
];
