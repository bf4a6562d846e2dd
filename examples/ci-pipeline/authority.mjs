// What the authority knows: the CI platform, the pipeline of one repository, and what that pipeline may deploy.
import { access, document } from '../stage/telling.mjs';
import { ISSUER, JWKS } from './runner.mjs';

export const DEPLOY = 'https://deploy.example';

export const documents = () => [
  document('ResourceServer', 'deploy', {
    identifier: DEPLOY,
    scopes: [
      { name: 'deploy:staging', description: 'put a release on staging' },
      { name: 'deploy:prod', description: 'put a release in production', sensitivity: 3 },
    ],
    token: { lifetime: 300 },
  }),
  document('TrustedIssuer', 'ci', {
    kind: 'github_actions',
    issuer: ISSUER,
    jwks: JWKS,
    algorithms: ['ES256'],
  }),
  document('Identity', 'shop-release', {
    kind: 'pipeline',
    environment: 'prod',
    purpose: 'releases the shop',
    owner: { person: 'ada@example.com', team: 'shop' },
    expires_in: '90d',
  }),
  // No secret anywhere: whoever comes with a token that the platform gave a job on main of this repository is the pipeline.
  document('Credential', 'main of octo-org/shop', {
    identity: 'shop-release',
    type: 'federated',
    trusted_issuer: ISSUER,
    conditions: { repository_id: '456789', repository_owner_id: '123456', ref: 'refs/heads/main' },
  }),
  access('shop-release', DEPLOY, ['deploy:staging'], 'main is always on staging'),
];
