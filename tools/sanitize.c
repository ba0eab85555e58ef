/* sanitize.c - part of the programs that SANITIZE=1 makes: options of the sanitizers.
 *
 * Not in $ASAN_OPTIONS, since some programs clear their environment.  The leak
 * checker needs /proc, which a jail doesn't have, and would make the test fail. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
