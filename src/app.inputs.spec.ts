import { Body, Controller, Get, Post, Query, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { InputsModule } from './app.inputs.js';
import { PageQuery } from './common/pagination.js';
import { validated } from './common/validation.js';

@Controller('checked')
class CheckedController {
  @Get()
  list(@Query(validated) query: PageQuery): PageQuery {
    return query;
  }

  @Post()
  create(@Body(validated) body: PageQuery): PageQuery {
    return body;
  }
}

@Controller('unchecked')
class UncheckedController {
  @Get()
  list(@Query() query: PageQuery): PageQuery {
    return query;
  }

  @Post()
  create(@Body('limit') limit: number): number {
    return limit;
  }
}

async function start(...controllers: Type[]): Promise<void> {
  const module = await Test.createTestingModule({ imports: [InputsModule], controllers }).compile();
  await module.init();
  await module.close();
}

describe('InputChecks', () => {
  it('lets routes start whose bodies and queries are validated', async () => {
    await expect(start(CheckedController)).resolves.toBeUndefined();
  });

  it('stops a start with a body or a query that nothing validates, naming each', async () => {
    await expect(start(CheckedController, UncheckedController)).rejects.toThrow(
      '@Query of UncheckedController.list, @Body of UncheckedController.create',
    );
  });
});
