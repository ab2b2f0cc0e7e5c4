import { jest } from '@jest/globals';
import { type RequestLogFields } from '../../src/common/json-logger.js';
import { type TestApp } from './test-app.js';

/** The lines of requests that the application would log from now on, in a list that grows. */
export function requestLinesOf(app: TestApp): RequestLogFields[] {
  const lines: RequestLogFields[] = [];
  jest.spyOn(app.secure.logger, 'request').mockImplementation((line) => void lines.push(line));
  return lines;
}
