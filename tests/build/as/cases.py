# SPDX-License-Identifier: MIT
"""What alula-as refuses, and the exact words it finds for it.

Each case: name, suffix, flags, text, the messages in order. `{f}` stands for
the source file. Compilers: g = GCC, c = Clang; all with -g -O2.
"""
ASM = ("assembly written by hand moves sp; way out: state its depth in the "
       "assembly by a line `@alula: depth N', or mark the function by "
       "`@alula: unchecked N'")
MARK = "mark the function by `@alula: unchecked N'"
BALANCE = "balance sp in the assembly, or " + MARK


def error(line, function, what, way_out):
    return (f"{{f}}:{line}: error: alula-as: function `{function}': {what}; "
            f"way out: {way_out}")


REFUSED = (
    ('naked', 'gc', '.c', (), '''int g(int);
__attribute__((naked)) void f(void)
{
    __asm("push {r4, lr}\\n bl g\\n pop {r4, pc}");
}
''', [f"{{f}}:4: error: alula-as: function `f': {ASM}"]),
    ('inline', 'gc', '.c', (), '''int g(int);
int f(int a)
{
    __asm volatile("nop\\n push {r4}\\n pop {r4}");
    return g(a) + 1;
}
''', [f"{{f}}:4: error: alula-as: function `f': {ASM}"]),
    ('file_scope', 'g', '.c', (), '''int a;
__asm(".text\\n.thumb_func\\n.type f, %function\\nf: push {r4}\\n"
      "pop {r4}\\nbx lr");
''', [('', f".s:24: error: alula-as: function `f': {ASM}")]),
    ('file_scope_no_type', 'g', '.c', (), '''int a;
__asm(".text\\n.thumb_func\\nf: bx lr");
''', [('', ".s:23: error: alula-as: instructions outside any function; way "
       "out: give the function's label a `.type NAME, %function'")]),
    ('hand_written', 'g', '.S', (), '''/* a file of assembly */
        .syntax unified
        .text
        .global f
        .type f, %function
f:      push {r4, lr}
        pop {r4, pc}
''', [f"{{f}}:6: error: alula-as: function `f': {ASM}"]),
    ('interrupt', 'gc', '.c', ('-w',), '''int g(int);
__attribute__((interrupt)) void f(void)
{
    g(1);
}
''', [error(3, 'f', "it has the attribute `interrupt', which realigns sp",
            "drop the attribute: on Cortex-M a handler is a plain function")]),
    ('trampoline', 'g', '.c', (), '''int g(int (*)(int));
int f(int a)
{
    int in(int b) { return a + b; }
    return g(in);
}
''', [error(3, 'f', "it takes the address of a nested function, which needs "
            "code on the stack", "pass the data by an argument instead")]),
    ('patchable', 'g', '.c', ('-fpatchable-function-entry=2',), '''int g(int);
int f(int a)
{
    return g(a) + 1;
}
''', [error(3, 'f', "it begins with patchable nops, before which no check "
            "fits", "drop -fpatchable-function-entry and the attribute")]),
    ('r9', 'gc', '.c', (), '''int g(int);
int f(int a)
{
    __asm volatile("mov r9, %0" :: "r"(a));
    return g(a) + 1;
}
''', [error(4, 'f', "writes r9, which holds the stack limit",
            "compile with -ffixed-r9, or " + MARK)]),
    ('ram', 'gc', '.c', ('-Wa,--alula-ram=65536',), '''int g(void *);
int f(void)
{
    char b[80000];
    return g(b) + 1;
}
int small(void)
{
    char b[60000];
    return g(b) + 1;
}
''', [("{f}:3: error: alula-as: function `f': its frame of ", " bytes is "
       "larger than the board's RAM of 65536 bytes; way out: make large local "
       "variables static, or allocate them")]),
    ('two_functions', 'g', '.c', (), '''__attribute__((naked)) void f(void)
{
    __asm("push {r4}\\n pop {r4}\\n bx lr");
}
__attribute__((naked)) void h(void)
{
    __asm("push {r4}\\n pop {r4}\\n bx lr");
}
''', [f"{{f}}:3: error: alula-as: function `f': {ASM}",
      f"{{f}}:7: error: alula-as: function `h': {ASM}"]),
    ('number', 'g', '.c', (), '''int g(int);
int f(int a)
{
    __asm volatile(".inst.n 0xb430");
    return g(a) + 1;
}
''', [error(4, 'f', "an instruction given as a number (.inst) or by a "
            "macro of the assembler", ASM[
        ASM.index('way out: ') + 9:])]),
    ('data_as_code', 'g', '.c', (), '''int g(int);
int f(int a)
{
    __asm volatile("nop\\n.short 0xb430");
    return g(a) + 1;
}
''', [error(4, 'f', "runs into data that may be instructions",
            "write them as instructions, or " + MARK)]),
    ('msr', 'g', '.c', (), '''int f(int a)
{
    __asm volatile("msr msp, %0" :: "r"(a));
    return a;
}
''', [error(3, 'f', "writes the stack pointer by msr", ASM[
        ASM.index('way out: ') + 9:])]),
    ('rept', 'g', '.c', (), '''int f(int a)
{
    __asm volatile(".rept 4\\n sub sp, #4\\n .endr\\n add sp, #16");
    return a;
}
''', [error(3, 'f', "sp moves inside .rept, .irp or .if", MARK)]),
    ('close', 'gc', '.c', (), '''int f(int a)
{
    __asm volatile("@alula: close" ::: "memory");
    return a;
}
''', [error(3, 'f', "no call follows `@alula: close'", "let a plain call follow "
            "the note")]),
)

# Assembly as a compiler might print it, which it never does: `f` is broken.
BROKEN = (
    ('conflict', 'push {r4}\ncmp r0, #0\nbeq .L1\nsub sp, sp, #8\n.L1:\n'
     'add sp, sp, #4\nbx lr', 'two paths meet here with different depths of '
     'sp', BALANCE),
    ('unbalanced', 'push {r4, lr}\nbx lr',
     'an indirect jump that alula-as cannot resolve',
     "use a switch or computed goto of the compiler, or " + MARK),
    ('tail', 'push {r4, lr}\nb g',
     'leaves the function with sp not where it was', BALANCE),
    ('above', 'add sp, sp, #8\nbx lr', 'sp rises above its value at the entry',
     None),
    ('indirect', 'push {r4, lr}\nmov pc, r3',
     'an indirect jump that alula-as cannot resolve',
     "use a switch or computed goto of the compiler, or " + MARK),
    ('unknown', 'eor sp, sp, r3\nbx lr',
     'sp is set to a value that alula-as cannot follow', None),
    ('middle', 'b .Lmiddle',
     'a jump into the middle of another function',
     "jump to a function's entry, or " + MARK),
    ('nowhere', 'b .Lmiddle+4',
     'a jump whose target alula-as cannot find', "jump to a label, or " + MARK),
    ('directives', 'push {r4, lr}\n.save {r4, lr}\n.pad #8\npop {r4, pc}',
     'the unwind directives describe a deeper frame than its instructions make',
     'report this to the authors of alula-as with the .s file'),
    ('local_call', 'bl .Lmiddle\nbx lr', 'a call to a label that is no '
     'function', "give the label a `.type NAME, %function', or " + MARK),
    ('arm_state', '.arm\nmov r0, #1\n.thumb\nbx lr', 'it is code for the '
     'Arm state', 'write it for Thumb: Cortex-M has no other'),
    ('macro', '.macro down n\nsub sp, #\\n\n.endm\ndown 8\nadd sp, #8\n'
     'bx lr', 'an instruction given as a number (.inst) or by a macro of the '
     'assembler', ASM[ASM.index('way out: ') + 9:]),
    ('outlined', 'bx lr\n.size f, .-f\n.type OUTLINED_1, %function\n'
     'OUTLINED_1:\n@ args = 0, pretend = 0\npush {r4, lr}\npop {r4, pc}',
     "it was cut out of other functions by the compiler, whose flags and ip "
     "it must keep", 'compile with -mno-outline'),
    ('hidden', 'bx lr\n.L7:\npush {r4}\npop {r4}\nbx lr\n'
     '.data\n.word .L7\n.text',
     'data holds the address of code in it that nothing seen here jumps to',
     MARK),
)
HEAD = ('.syntax unified\n.thumb\n.eabi_attribute 20, 1\n.text\n'
        '.type g, %function\ng: nop\n.Lmiddle: bx lr\n.size g, .-g\n'
        '.type f, %function\nf:\n@ args = 0, pretend = 0, frame = 0\n')
