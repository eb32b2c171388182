/* SPDX-License-Identifier: Apache-2.0 */
/* config_help: --help of the program and of each command, and the README's table. */
#include "config_table.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_COLUMN = 24, LINE_WIDTH = 96 };

/* Continues a line that has AT columns with TEXT at TEXT_COLUMN, wrapped at LINE_WIDTH. */
static void print_wrapped(int at, const char *text)
{
	int len, space;

	if (at >= TEXT_COLUMN) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", TEXT_COLUMN - at, "");
	at = TEXT_COLUMN;
	while (*text) {
		/* a piece: up to a space, or up to and with a comma */
		space = strspn(text, " ");
		text += space;
		len = strcspn(text, " ,");
		len += text[len] == ',';
		if (at > TEXT_COLUMN && at + space + len > LINE_WIDTH) {
			printf("\n%*s", TEXT_COLUMN, "");
			at = TEXT_COLUMN;
			space = 0;
		}
		printf("%*s%.*s", space, "", len, text);
		at += space + len;
		text += len;
	}
	putchar('\n');
}

void config__print_usage(void)
{
	size_t i;

	printf("gospan gives running Go programs OpenTelemetry traces, without touching them.\n\n"
	       "Usage: gospan COMMAND [OPTION]...\n"
	       "       gospan                 by environment alone, as a sidecar or service\n\n"
	       "Commands:\n");
	for (i = COMMAND_TRACE; i < config_command_cnt; i++)
		print_wrapped(printf("  %s", config_commands[i].name), config_commands[i].help);
	printf("\nFor a start:\n"
	       "  gospan trace :8080\n"
	       "  gospan run -- go run .\n\n"
	       "gospan help COMMAND tells the options, gospan --settings all of them and all\n"
	       "environment variables.\n");
}

/* ROW's help, then the variables of a flag, if the command reads them, then its default. */
static void print_help_text(int at, const struct setting *row, bool reads_environment)
{
	char text[1024];
	size_t len, i;

	len = snprintf(text, sizeof(text), "%s", row->help);
	for (i = 0; reads_environment && row->flag && row->env[i] && len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", " : "; also ",
				row->env[i]);
	if (row->standard && len < sizeof(text))
		snprintf(text + len, sizeof(text) - len, " (default: %s)", row->standard);
	print_wrapped(at, text);
}

/* https://no-color.org: no setting of ours, but read as one. */
#define NO_COLOR_HELP "print no colours, whatever its value"

void config__print_command_help(enum command command)
{
	const struct command_row *row = &config_commands[command];
	bool tracing = (1u << command) & ON_TRACING;
	const struct setting *setting;
	size_t i;
	int at;

	printf("Usage: gospan %s [OPTION]...%s%s\n\n%s\n\nOptions:\n", row->name,
	       *row->args ? " " : "", row->args, row->help);
	for (i = 0; i < config_setting_cnt; i++) {
		setting = &config_settings[i];
		if (!setting->flag || !(setting->commands & (1u << command)))
			continue;
		at = printf("  --%s%s%s", setting->flag, setting->arg ? " " : "",
			    setting->arg ? setting->arg : "");
		print_help_text(at, setting, tracing || setting->commands == ON_ALL);
	}
	print_wrapped(printf("  --help"), "this text");
	if (!tracing)
		return;
	printf("\nEnvironment:\n");
	for (i = 0; i < config_setting_cnt; i++) {
		setting = &config_settings[i];
		if (setting->flag || !(setting->commands & (1u << command)))
			continue;
		at = printf("  %s", setting->env[0]);
		if (setting->env[1])
			at = printf(",\n  %s", setting->env[1]) - 2;
		print_help_text(at, setting, tracing || setting->commands == ON_ALL);
	}
	print_wrapped(printf("  NO_COLOR"), NO_COLOR_HELP);
}

void config__print_table(void)
{
	const struct setting *row;
	size_t i, j;

	printf("| flag | environment | accepts | default | what |\n"
	       "| --- | --- | --- | --- | --- |\n");
	for (i = 0; i < config_setting_cnt; i++) {
		row = &config_settings[i];
		printf("| ");
		if (row->flag)
			printf("`--%s%s%s`", row->flag, row->arg ? " " : "",
			       row->arg ? row->arg : "");
		printf(" | ");
		for (j = 0; row->env[j]; j++)
			printf("%s`%s`", j ? ", " : "", row->env[j]);
		printf(" | %s | %s | %s |\n", row->accepts ? row->accepts : "",
		       row->standard ? row->standard : "", row->help);
	}
	printf("|  | `NO_COLOR` | anything |  | " NO_COLOR_HELP " |\n");
}
