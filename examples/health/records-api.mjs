// The API with the records: one scope a route, checked at each request.
import { serveProtected } from '../stage/protected-api.mjs';
import { RECORDS, ROUTES } from './documents.mjs';

await serveProtected(RECORDS, ROUTES);
