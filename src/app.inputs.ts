import { Injectable, type OnApplicationBootstrap, type PipeTransform } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/internal';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { validated } from './common/validation.js';

/** Where Nest's decorators note the parameters of a route, under `<type>:<index>`. */
const ARGUMENTS_METADATA = '__routeArguments__';

const checkedTypes: ReadonlyMap<number, string> = new Map([
  [RouteParamtypes.BODY, '@Body'],
  [RouteParamtypes.QUERY, '@Query'],
]);

type Arguments = Readonly<Record<string, { readonly pipes?: readonly PipeTransform[] }>>;

/** Stops the start when a route takes a body or a query that nothing checks. */
@Injectable()
export class InputChecks implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onApplicationBootstrap(): void {
    const unchecked = this.discovery
      .getControllers()
      .flatMap(({ metatype, instance, name }) =>
        this.scanner
          .getAllMethodNames(Object.getPrototypeOf(instance) as object)
          .flatMap((method) =>
            uncheckedInputs(metatype, method).map((decorator) => `${decorator} of ${name}.${method}`),
          ),
      );
    if (unchecked.length > 0) {
      throw new Error(`give ${unchecked.join(', ')} the pipe \`validated\`, as in @Body(validated)`);
    }
  }
}

function uncheckedInputs(controller: unknown, method: string): string[] {
  const found = Reflect.getMetadata(ARGUMENTS_METADATA, controller as object, method) as
    Arguments | undefined;
  return Object.entries(found ?? {}).flatMap(([key, { pipes = [] }]) => {
    const decorator = checkedTypes.get(Number(key.split(':', 1)[0]));
    return decorator === undefined || pipes.includes(validated) ? [] : [decorator];
  });
}
