/** The hosts of the cluster, with how many endpoints each has. */
import type { HostView } from '../../../api/index.ts';
import { WeftError } from '../../../core/errors.ts';
import { endpointsOfHost, hostNamed } from '../../../core/fold/lookup.ts';
import { quote } from '../../../core/lib/quote.ts';
import type { Host } from '../../../core/model/host.ts';
import { hostView } from '../views.ts';
import { type HandlerDeps, type Handlers, listOf } from './handler.ts';

type HostRoute = 'listHosts' | 'inspectHost' | 'removeHost';

/** A host with what is known of it here. */
export function shownHost(
  host: Host,
  { control, host: self }: Pick<HandlerDeps, 'control' | 'host'>,
): HostView {
  const endpoints = [...endpointsOfHost(control.state, host.name)].length;
  return hostView(host, self, endpoints, control.sightOf(host));
}

export function hostHandlers(deps: HandlerDeps): Pick<Handlers, HostRoute> {
  const { control, readiness } = deps;
  const shown = (host: Host) => shownHost(host, deps);
  return {
    async listHosts({ context }) {
      await readiness.requireReadable(context.signal);
      return listOf(deps, [...control.state.hosts.values()].map(shown));
    },
    async inspectHost({ params: { name }, context }) {
      await readiness.requireReadable(context.signal);
      const host = hostNamed(control.state, name);
      if (host !== undefined) return shown(host);
      const message = `No host is named ${quote(name)}: 'weft host ls' shows those there are`;
      throw new WeftError('no-such-host', message);
    },
    async removeHost({ params, context }) {
      return shown(await control.removeHost(params.name, context));
    },
  };
}
