/** Stands for an argument of a prepared query while it is compiled. */
export class Place {
  constructor(readonly index: number) {}
}
