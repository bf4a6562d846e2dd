// The application as it has been for years: plain HTTP, no OAuth, nothing of ours. Who calls is what X-Remote-User says, for
// that is what its front proxy always wrote there.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const user = request.headers['x-remote-user'] ?? 'nobody';
  const seen = Object.keys(request.headers);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ did: `${request.method} ${request.url}`, user, seen }));
});
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
process.once('SIGTERM', () => process.exit(0));
