export interface Target {
  readonly name: string;
  readonly got: number;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly isMet: boolean;
}

export function atMost(bound: number, name: string, got: number, unit: string): Target {
  return { name, got, unit, atMost: bound, isMet: got <= bound };
}

export function atLeast(bound: number, name: string, got: number, unit: string): Target {
  return { name, got, unit, atLeast: bound, isMet: got >= bound };
}
