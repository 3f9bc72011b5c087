import {createClient, type Client, type Interceptor} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-web';
import {CustomerService} from './gen/hilo/v1/customer_service_pb';
import {DecisionService} from './gen/hilo/v1/decision_service_pb';
import {DeskService} from './gen/hilo/v1/desk_service_pb';

export interface Api {
  customers: Client<typeof CustomerService>;
  decisions: Client<typeof DecisionService>;
  desk: Client<typeof DeskService>;
}

const kTimeout = 10_000; // ms for one call; streams have none

// The services of the server that gave this page, by Connect in JSON, so that a network tab can be read. Always POST:
// identifiers of persons have no place in addresses. `token` is asked anew for every call.
export function createApi(
  baseUrl: string,
  token: () => string,
  onServerTime: (unixMillis: number) => void,
): Api {
  const authorize: Interceptor = (next) => async (request) => {
    const bearer = token();
    if (bearer) request.header.set('Authorization', `Bearer ${bearer}`);
    const response = await next(request);
    const date = Date.parse(response.header.get('Date') ?? '');
    if (Number.isFinite(date)) onServerTime(date);
    return response;
  };
  const transport = createConnectTransport({
    baseUrl,
    interceptors: [authorize],
    defaultTimeoutMs: kTimeout,
    useBinaryFormat: false,
    useHttpGet: false,
    fetch: (input, init) => fetch(input, {...init, credentials: 'same-origin', cache: 'no-store'}),
  });
  return {
    customers: createClient(CustomerService, transport),
    decisions: createClient(DecisionService, transport),
    desk: createClient(DeskService, transport),
  };
}
