import { RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type TestApp } from './test-app.js';

/** Every route of every controller as Nest itself knows it, such as `GET /v1/contacts/:id`. */
export function routesOf({ nest }: TestApp): string[] {
  const controllers = nest.get(DiscoveryService, { strict: false }).getControllers();
  const scanner = new MetadataScanner();
  return controllers.flatMap(({ instance, metatype }) => {
    const prototype = Object.getPrototypeOf(instance) as Record<string, () => unknown>;
    const prefix = String(read('path', metatype));
    return scanner.getAllMethodNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      const path = read('path', handler);
      if (typeof path !== 'string') return [];
      const method = RequestMethod[Number(read('method', handler))];
      return [
        `${method} /${[prefix, path]
          .flatMap((part) => part.split('/'))
          .filter(Boolean)
          .join('/')}`,
      ];
    });
  });
}

function read(name: string, target: unknown): unknown {
  return Reflect.getMetadata(name, target as object);
}
