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

// The first two are there at once; others are loaded when somebody goes there.
const IdentityScreen = lazy(async () => ({
  default: (await import('./screens/identity.tsx')).IdentityScreen,
}));
const OwnersScreen = lazy(async () => ({ default: (await import('./screens/owners.tsx')).OwnersScreen }));
const AccessScreen = lazy(async () => ({ default: (await import('./screens/access.tsx')).AccessScreen }));
const ApprovalsScreen = lazy(async () => ({
  default: (await import('./screens/approvals.tsx')).ApprovalsScreen,
}));
const ReviewsScreen = lazy(async () => ({ default: (await import('./screens/reviews.tsx')).ReviewsScreen }));
const ReviewScreen = lazy(async () => ({ default: (await import('./screens/review.tsx')).ReviewScreen }));
const FindingsScreen = lazy(async () => ({
  default: (await import('./screens/findings.tsx')).FindingsScreen,
}));
const TraceScreen = lazy(async () => ({ default: (await import('./screens/trace.tsx')).TraceScreen }));
const CutoffsScreen = lazy(async () => ({ default: (await import('./screens/cutoffs.tsx')).CutoffsScreen }));
const CutoffScreen = lazy(async () => ({ default: (await import('./screens/cutoff.tsx')).CutoffScreen }));

/** One screen for all of a kind, and one for each of them. */
function allOrOne(
  All: ComponentType<ScreenProps>,
  One: ComponentType<ScreenProps>,
): ComponentType<ScreenProps> {
  return function AllOrOne(props: ScreenProps): ReactNode {
    return props.subject === undefined ? <All {...props} /> : <One {...props} key={props.subject} />;
  };
}

export const SCREENS: readonly ScreenEntry[] = [
  { name: 'overview', title: 'Overview', Shown: OverviewScreen },
  {
    name: 'identities',
    title: 'Identities',
    scope: 'identities:read',
    Shown: allOrOne(IdentitiesScreen, IdentityScreen),
  },
  { name: 'owners', title: 'Owners', scope: 'people:read', Shown: OwnersScreen },
  { name: 'access', title: 'Access', scope: 'access:read', Shown: AccessScreen },
  { name: 'approvals', title: 'Approvals', scope: 'approvals:read', Shown: ApprovalsScreen },
  { name: 'reviews', title: 'Reviews', scope: 'reviews:read', Shown: allOrOne(ReviewsScreen, ReviewScreen) },
  { name: 'findings', title: 'Findings', scope: 'findings:read', Shown: FindingsScreen },
  { name: 'trace', title: 'Trace', scope: 'audit:read', Shown: TraceScreen },
  { name: 'cutoffs', title: 'Cut-offs', scope: 'cutoffs:read', Shown: allOrOne(CutoffsScreen, CutoffScreen) },
];
