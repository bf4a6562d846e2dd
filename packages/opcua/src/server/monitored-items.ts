// What a subscription delivers, by the rights of the moment. node-opcua asks for permission where it reads; what changes is delivered
// without asking (a sampling interval of 0), and events are delivered without being asked about at all (OPC 10000-4 §5.13.1).
import type { NodeOpcua } from '../node-opcua.ts';
import type {
  ItemRequest,
  ServerAddressSpace,
  ServerSession,
  ServerSubscription,
  SessionContext,
} from './server-hooks.ts';

type Names = Pick<NodeOpcua, 'AttributeIds' | 'PermissionFlag' | 'StatusCodes'>;

/** Refuses items that the session may not read, from now on, on every subscription that it makes. */
export function guardSubscriptions(
  opcua: Names,
  session: ServerSession,
  addressSpace: ServerAddressSpace,
): void {
  session.on('new_subscription', (subscription: ServerSubscription) => {
    const create = subscription.preCreateMonitoredItem;
    subscription.preCreateMonitoredItem = (space, timestamps, request) => {
      const { sessionContext } = session;
      if (
        mayMonitor(opcua, addressSpace, request, (node, needed) =>
          sessionContext.checkPermission(node, needed),
        )
      ) {
        return create.call(subscription, space, timestamps, request);
      }
      return { createResult: { statusCode: opcua.StatusCodes.BadUserAccessDenied } };
    };
  });
}

/** Takes away what the session may no longer read, with what of it waits to be sent. */
export function dropForbiddenItems(
  opcua: Names,
  session: ServerSession,
  addressSpace: ServerAddressSpace,
): void {
  const { sessionContext } = session;
  // Of its prototype: nobody has asked for anything, so nothing is counted.
  const ask = (Object.getPrototypeOf(sessionContext) as SessionContext).checkPermission.bind(sessionContext);
  for (const subscription of session.publishEngine?.subscriptions ?? []) {
    for (const id of subscription.getMonitoredItems().serverHandles) {
      const item = subscription.getMonitoredItem(id);
      if (item !== null && !mayMonitor(opcua, addressSpace, item, ask)) subscription.removeMonitoredItem(id);
    }
  }
}

function mayMonitor(
  { AttributeIds, PermissionFlag }: Names,
  addressSpace: ServerAddressSpace,
  { itemToMonitor: { attributeId, nodeId } }: ItemRequest,
  ask: SessionContext['checkPermission'],
): boolean {
  const node = addressSpace.findNode(nodeId);
  // An item on no node is node-opcua's to refuse.
  if (node === null) return true;
  const needed =
    attributeId === AttributeIds.Value
      ? PermissionFlag.Read
      : attributeId === AttributeIds.EventNotifier
        ? PermissionFlag.ReceiveEvents
        : PermissionFlag.Browse;
  return ask(node, needed);
}
