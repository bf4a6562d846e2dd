// A plain TCP proxy: what the MQTT gateway is held against. Prints its port. `--port`: of the broker behind it.
import { connect, createServer } from 'node:net';

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
const server = createServer({ noDelay: true }, (client) => {
  const broker = connect({ host: '127.0.0.1', port, noDelay: true });
  client.on('error', () => broker.destroy());
  broker.on('error', () => client.destroy());
  client.pipe(broker);
  broker.pipe(client);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
