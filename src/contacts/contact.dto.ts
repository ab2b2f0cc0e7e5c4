import { IsEmail, IsOptional, IsString, Length, MaxLength } from 'class-validator';
import { type Page, PageQuery } from '../common/pagination.js';
import { type Contact } from './contacts.service.js';
import { Absent } from '../common/absent.js';
import { isoTime } from '../common/iso-time.js';
import { ApiProperty, ApiPropertyOptional } from '../common/openapi.js';

const MAX_NAME_LENGTH = 200;
const MAX_EMAIL_LENGTH = 254;
const MAX_PHONE_LENGTH = 50;
const MAX_NOTE_LENGTH = 10_000;

const AbsentOrNull = () => IsOptional();

export class CreateContactBody {
  @ApiProperty({ minLength: 1, maxLength: MAX_NAME_LENGTH, example: 'Ada Lovelace' })
  @Length(1, MAX_NAME_LENGTH)
  @IsString()
  readonly name!: string;

  @ApiPropertyOptional({ format: 'email', maxLength: MAX_EMAIL_LENGTH, example: 'ada@example.com' })
  @Absent()
  @MaxLength(MAX_EMAIL_LENGTH)
  @IsEmail({ allow_utf8_local_part: true })
  readonly email?: string;

  @ApiPropertyOptional({ maxLength: MAX_PHONE_LENGTH })
  @Absent()
  @MaxLength(MAX_PHONE_LENGTH)
  @IsString()
  readonly phone?: string;

  @ApiPropertyOptional({ maxLength: MAX_NOTE_LENGTH })
  @Absent()
  @MaxLength(MAX_NOTE_LENGTH)
  @IsString()
  readonly note?: string;
}

export class UpdateContactBody {
  @ApiPropertyOptional({ minLength: 1, maxLength: MAX_NAME_LENGTH })
  @Absent()
  @Length(1, MAX_NAME_LENGTH)
  @IsString()
  readonly name?: string;

  @ApiPropertyOptional({ type: 'string', format: 'email', maxLength: MAX_EMAIL_LENGTH, nullable: true })
  @AbsentOrNull()
  @MaxLength(MAX_EMAIL_LENGTH)
  @IsEmail({ allow_utf8_local_part: true })
  readonly email?: string | null;

  @ApiPropertyOptional({ type: 'string', maxLength: MAX_PHONE_LENGTH, nullable: true })
  @AbsentOrNull()
  @MaxLength(MAX_PHONE_LENGTH)
  @IsString()
  readonly phone?: string | null;

  @ApiPropertyOptional({
    type: 'string',
    maxLength: MAX_NOTE_LENGTH,
    nullable: true,
    example: 'prefers e-mail',
  })
  @AbsentOrNull()
  @MaxLength(MAX_NOTE_LENGTH)
  @IsString()
  readonly note?: string | null;
}

export class ContactsQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'email', maxLength: MAX_EMAIL_LENGTH, description: 'exactly this address' })
  @Absent()
  @MaxLength(MAX_EMAIL_LENGTH)
  @IsEmail({ allow_utf8_local_part: true })
  readonly email?: string;
}

export class ContactResponse {
  @ApiProperty({ format: 'uuid' })
  readonly id: string;

  @ApiProperty()
  readonly name: string;

  @ApiPropertyOptional({ format: 'email' })
  readonly email?: string;

  @ApiPropertyOptional()
  readonly phone?: string;

  @ApiPropertyOptional()
  readonly note?: string;

  @ApiProperty({ format: 'date-time' })
  readonly createdAt: string;

  @ApiProperty({ format: 'date-time' })
  readonly updatedAt: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'also the ETag' })
  readonly version: number;

  constructor(contact: Contact) {
    this.id = contact.id;
    const { name, email, phone, note } = contact.details;
    this.name = name;
    if (email !== undefined) this.email = email;
    if (phone !== undefined) this.phone = phone;
    if (note !== undefined) this.note = note;
    this.createdAt = isoTime(contact.createdAt);
    this.updatedAt = isoTime(contact.updatedAt);
    this.version = contact.version;
  }
}

export class ContactsResponse {
  @ApiProperty({ type: [ContactResponse] })
  readonly items: ContactResponse[];

  @ApiProperty({ type: 'string', nullable: true })
  readonly nextCursor: string | null;

  constructor({ items, nextCursor }: Page<Contact>) {
    this.items = items.map((contact) => new ContactResponse(contact));
    this.nextCursor = nextCursor;
  }
}
