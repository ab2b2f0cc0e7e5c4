import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { AppError } from './app-error.js';
import {
  codeOfStatus,
  type Problem,
  PROBLEM_MEDIA_TYPE,
  problemOfCode,
  problemOfError,
} from './problem-details.js';

/**
 * Turns every error into a problem document. What no honest caller can cause is a fault: logged with
 * the request id, answered by a bare 500 that tells nothing.
 */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  readonly #logger = new Logger('Fault');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const { id, raw } = http.getRequest<FastifyRequest>();
    const { body, headers } =
      // The client went away before its body was there: no fault, and nobody is left to tell.
      error === raw.errored ? problemOfCode('ERR_MALFORMED_REQUEST', id) : this.#problem(error, id);
    // The route has set its own headers before it failed, for an answer that may be stored.
    reply.header('cache-control', 'no-store');
    void reply.status(body.status).headers(headers).type(PROBLEM_MEDIA_TYPE).send(body);
  }

  #problem(error: unknown, requestId: string): Problem {
    if (error instanceof AppError) {
      const problem = problemOfError(error, requestId);
      // A race that a caller lost, as with the deletion of what they ask for, is no fault.
      const level = problem.body.status < 500 ? 'debug' : 'error';
      if (error.cause !== undefined) this.#logger[level]({ requestId, err: error.cause }, error.message);
      return problem;
    }
    if (error instanceof HttpException) return problemOfCode(codeOfStatus(error.getStatus()), requestId);
    this.#logger.error({ requestId, err: error }, 'a request failed');
    return problemOfCode('ERR_INTERNAL', requestId);
  }
}
