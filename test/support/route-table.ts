import { RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type Access, ACCESS_METADATA } from '../../src/common/access.js';
import { type TestApp } from './test-app.js';

export interface Route {
  /** Such as `GET /v1/contacts/:id`. */
  readonly name: string;
  /** Its mark; a route without one stops the start. */
  readonly access: Access;
}

/** Every route of every controller as Nest itself knows it, by name. */
export function routesOf({ nest }: TestApp): Route[] {
  const controllers = nest.get(DiscoveryService, { strict: false }).getControllers();
  const scanner = new MetadataScanner();
  const routes = controllers.flatMap(({ instance, metatype }) => {
    const prototype = Object.getPrototypeOf(instance) as Record<string, () => unknown>;
    const prefix = String(read('path', metatype));
    return scanner.getAllMethodNames(prototype).flatMap((method) => {
      const handler = prototype[method];
      const paths = read('path', handler) as string | string[] | undefined;
      return [paths ?? []].flat().map((path) => {
        const name = `${RequestMethod[Number(read('method', handler))]} /${[prefix, path]
          .flatMap((part) => part.split('/'))
          .filter(Boolean)
          .join('/')}`;
        return { name, access: read(ACCESS_METADATA, handler) as Access };
      });
    });
  });
  return routes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function read(name: string, target: unknown): unknown {
  return Reflect.getMetadata(name, target as object);
}
