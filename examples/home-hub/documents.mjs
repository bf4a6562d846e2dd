// A home: three devices that know their own corner, a rule that knows all of them, a guest who may look at the temperature.
import { access, document, identityWithSecret } from '../stage/telling.mjs';

export const HOME = 'https://mqtt.home.example';

/** In each, {client} is the device that holds it. */
const OWN = ['mqtt.pub:home/{client}/state', 'mqtt.sub:home/{client}/set'];
const RULES = ['mqtt.sub:home/+/state', 'mqtt.pub:home/+/set'];
const GUEST = 'mqtt.sub:home/thermometer/state';

const SCOPES = {
  [OWN[0]]: 'say how it is',
  [OWN[1]]: 'be told what to do',
  [RULES[0]]: 'see how everything is',
  [RULES[1]]: 'tell everything what to do',
  [GUEST]: 'see how warm it is',
  'tokens:introspect': 'ask whose a certificate is',
};

/** No credential: each claims its identity with a code, for a key that it makes itself. */
const device = (name, purpose) =>
  document('Identity', name, {
    kind: 'device',
    environment: 'prod',
    purpose,
    owner: { person: 'ada@example.com', team: 'home' },
    expires_in: '365d',
  });

export const DEVICES = ['thermometer', 'lamp', 'camera'];

export const documents = () => [
  document('ResourceServer', 'home-mqtt', {
    identifier: HOME,
    scopes: Object.entries(SCOPES).map(([name, description]) => ({ name, description })),
  }),
  device('thermometer', 'measures the living room'),
  device('lamp', 'lights the porch'),
  device('camera', 'watches the gate'),
  ...DEVICES.map((name) => access(name, HOME, OWN, 'speaks for itself')),
  ...identityWithSecret('hub', { kind: 'gateway', purpose: 'stands before the broker' }),
  access('hub', HOME, ['tokens:introspect'], 'learns whose a certificate is'),
  ...identityWithSecret('evening', { kind: 'job', purpose: 'switches things on and off' }),
  access('evening', HOME, RULES, 'the rules of the house'),
  ...identityWithSecret('guest-tablet', { kind: 'device', purpose: 'stays for the weekend' }),
  access('guest-tablet', HOME, [GUEST], 'may see how warm it is'),
];
