// Those that come to the press: the channel by the certificate of their application, the session by a token of their identity.
import { connectOpcUa } from '@countersign/opcua';
import { applicationOf } from './application.mjs';
import { NAMES, PRESS } from './documents.mjs';

export class Clients {
  #opcua;
  #scene;
  #closing = [];

  /** @param {any} opcua node-opcua @param {import('../stage/telling.mjs').Scene} scene */
  constructor(opcua, scene) {
    this.#opcua = opcua;
    this.#scene = scene;
  }

  /** Whom an application trusts, by the revocation list of now. @param {string} name */
  async application(name) {
    const { folder, authority } = this.#scene;
    const application = await applicationOf(this.#opcua, folder, name, authority.fetch);
    this.#closing.push(() => application.certificateManager.dispose());
    return application;
  }

  /** @param {string} name @param {string} endpointUrl @throws ConnectionError */
  async connect(name, endpointUrl) {
    const opcua = this.#opcua;
    const { certificateManager, ...files } = await this.application(name);
    const opcUaClient = opcua.OPCUAClient.create({
      ...files,
      applicationUri: NAMES[name],
      clientCertificateManager: certificateManager,
      securityMode: opcua.MessageSecurityMode.SignAndEncrypt,
      securityPolicy: opcua.SecurityPolicy.Basic256Sha256,
      endpointMustExist: false,
      connectionStrategy: { maxRetry: 1 },
    });
    const client = this.#scene.clientOf(name);
    const connection = await connectOpcUa(opcua, { opcUaClient, endpointUrl, client, resource: PRESS });
    this.#closing.push(() => connection.close());
    return connection;
  }

  /** The value, or the name of the status that is not Good. */
  async read({ session }, name) {
    const { value, statusCode } = await session.read(this.#valueOf(name));
    return statusCode.isGood() ? value.value : statusCode.name;
  }

  /** The name of the status. */
  async write({ session }, name, value) {
    const { Double } = this.#opcua.DataType;
    const status = await session.write({
      ...this.#valueOf(name),
      value: { value: { dataType: Double, value } },
    });
    return status.name;
  }

  async close() {
    for (const close of this.#closing.reverse()) await close();
  }

  #valueOf(name) {
    return { nodeId: `ns=1;s=${name}`, attributeId: this.#opcua.AttributeIds.Value };
  }
}
