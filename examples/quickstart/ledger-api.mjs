#!/usr/bin/env node
// An API that payments has nothing to do with: node ledger-api.mjs
import { serveProtected } from '../stage/protected-api.mjs';

await serveProtected('https://ledger.example', {
  'GET /entries': { scope: 'ledger:read', answer: { entries: [] } },
});
