// The API that puts releases where they run.
import { serveProtected } from '../stage/protected-api.mjs';
import { DEPLOY } from './authority.mjs';

await serveProtected(DEPLOY, {
  'POST /staging': { scope: 'deploy:staging', answer: { deployed: 'staging' } },
  'POST /prod': { scope: 'deploy:prod', answer: { deployed: 'prod' } },
});
