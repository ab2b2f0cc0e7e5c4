import { Controller, Get, Post, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { Public, RequirePermission } from '../common/access.js';
import { AccessMarks } from './access-marks.js';

@Controller('marked')
class MarkedController {
  @Get()
  @Public()
  list(): string {
    return this.helper();
  }

  @Post()
  @RequirePermission('contacts:write')
  create(): string {
    return this.helper();
  }

  /** No route, so it needs no mark. */
  helper(): string {
    return '';
  }
}

@Controller('unmarked')
class UnmarkedController {
  @Get()
  @Public()
  list(): string {
    return '';
  }

  @Get('forgotten')
  forgotten(): string {
    return '';
  }

  @Post()
  create(): string {
    return '';
  }
}

async function start(...controllers: Type[]): Promise<void> {
  const imports = [DiscoveryModule];
  const module = await Test.createTestingModule({ imports, controllers, providers: [AccessMarks] }).compile();
  await module.init();
  await module.close();
}

describe('AccessMarks', () => {
  it('lets routes start that are public or need a permission', async () => {
    await expect(start(MarkedController)).resolves.toBeUndefined();
  });

  it('stops a start with a route that has neither mark, naming each', async () => {
    await expect(start(MarkedController, UnmarkedController)).rejects.toThrow(
      'mark UnmarkedController.forgotten, UnmarkedController.create with @Public() or @RequirePermission()',
    );
  });
});
