import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ACCESS_METADATA } from '../common/access.js';

const ROUTE_METADATA = 'path';

/** Stops the start when a route says neither `@Public()` nor `@RequirePermission()`. */
@Injectable()
export class AccessMarks implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    const unmarked = this.discovery.getControllers().flatMap(({ instance, name }) => {
      const prototype = Object.getPrototypeOf(instance) as Record<string, () => unknown>;
      return this.scanner
        .getAllMethodNames(prototype)
        .filter((method) => {
          const handler = prototype[method];
          if (!handler || this.reflector.get<unknown>(ROUTE_METADATA, handler) === undefined) return false;
          return this.reflector.get<unknown>(ACCESS_METADATA, handler) === undefined;
        })
        .map((method) => `${name}.${method}`);
    });
    if (unmarked.length > 0) {
      throw new Error(`mark ${unmarked.join(', ')} with @Public() or @RequirePermission()`);
    }
  }
}
