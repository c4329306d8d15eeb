//! Which names a script reads, and which of its locals nothing reads.

use std::collections::{HashMap, HashSet};

use full_moon::ast::luau::{ConstAssignment, ConstFunction, IfConditionBinding};
use full_moon::ast::{
    Assignment, Ast, Block, FunctionBody, FunctionDeclaration, GenericFor, LocalAssignment, LocalFunction, NumericFor,
    Parameter, Prefix, Repeat, Var,
};
use full_moon::tokenizer::{Position, TokenReference};
use full_moon::visitors::Visitor;
use tidegate_model::contract::{ScriptRule, ScriptWarning};

/// The warnings about names.
pub(super) fn warnings(ast: &Ast, known: &HashSet<String>) -> Vec<ScriptWarning> {
    let mut names = Names::default();
    names.visit_ast(ast);
    let Names { globals, assigned, unused, .. } = names;
    let unknown = globals.into_iter().filter(|(name, _)| !known.contains(name) && !assigned.contains(name));
    let unknown = unknown.map(|(name, at)| {
        super::warning(
            at,
            ScriptRule::UnknownGlobal,
            format!("`{name}` is no variable, no library and nothing that the script defines"),
        )
    });
    let unused = unused
        .into_iter()
        .map(|(name, at)| super::warning(at, ScriptRule::UnusedLocal, format!("the local `{name}` is never read")));
    unknown.chain(unused).collect()
}

/// Walks the tree with the locals in scope.
#[derive(Default)]
struct Names {
    scopes: Vec<HashMap<String, Local>>,
    /// What a block brings into scope besides its own locals, by the block's place in memory.
    brought: Vec<(usize, Vec<String>)>,
    /// Blocks that something behind them can still see into.
    open: Vec<usize>,
    /// Names on the left of an assignment, by their place in memory: they are not read.
    targets: HashSet<usize>,
    globals: Vec<(String, Position)>,
    assigned: HashSet<String>,
    unused: Vec<(String, Position)>,
}

struct Local {
    /// Where it was declared, as long as nothing has read it; `None` too for what need not be read.
    unread: Option<Position>,
}

impl Names {
    fn declare(&mut self, name: String, unread: Option<Position>) {
        let ignored = name.starts_with('_');
        let local = Local { unread: unread.filter(|_| !ignored) };
        let Some(scope) = self.scopes.last_mut() else { return };
        if let Some(Local { unread: Some(at) }) = scope.insert(name.clone(), local) {
            self.unused.push((name, at));
        }
    }

    fn declare_token(&mut self, token: &TokenReference) {
        self.declare(text(token), Some(token.token().start_position()));
    }

    fn read(&mut self, token: &TokenReference) {
        let name = text(token);
        match self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(&name)) {
            Some(local) => local.unread = None,
            None => self.globals.push((name, token.token().start_position())),
        }
    }

    fn assign(&mut self, token: &TokenReference) {
        let name = text(token);
        if !self.scopes.iter().any(|scope| scope.contains_key(&name)) {
            self.assigned.insert(name);
        }
    }

    fn bring(&mut self, block: &Block, names: Vec<String>) {
        self.brought.push((place(block), names));
    }

    fn leave_scope(&mut self) {
        let scope = self.scopes.pop().unwrap_or_default();
        self.unused.extend(scope.into_iter().filter_map(|(name, local)| Some((name, local.unread?))));
    }
}

impl Visitor for Names {
    fn visit_block(&mut self, block: &Block) {
        self.scopes.push(HashMap::new());
        while let Some(here) = self.brought.iter().rposition(|(at, _)| *at == place(block)) {
            for name in self.brought.remove(here).1 {
                self.declare(name, None);
            }
        }
    }

    fn visit_block_end(&mut self, block: &Block) {
        if !self.open.contains(&place(block)) {
            self.leave_scope();
        }
    }

    fn visit_repeat(&mut self, repeat: &Repeat) {
        self.open.push(place(repeat.block()));
    }

    fn visit_repeat_end(&mut self, _: &Repeat) {
        self.open.pop();
        self.leave_scope();
    }

    fn visit_numeric_for(&mut self, turn: &NumericFor) {
        self.bring(turn.block(), vec![text(turn.index_variable())]);
    }

    fn visit_generic_for(&mut self, turn: &GenericFor) {
        self.bring(turn.block(), turn.names().iter().map(text).collect());
    }

    fn visit_function_body(&mut self, body: &FunctionBody) {
        let names = body.parameters().iter().filter_map(|parameter| match parameter {
            Parameter::Name(name) => Some(text(name)),
            _ => None,
        });
        self.bring(body.block(), names.collect());
    }

    fn visit_function_declaration(&mut self, function: &FunctionDeclaration) {
        let name = function.name();
        let Some(first) = name.names().iter().next() else { return };
        if name.names().len() == 1 && name.method_name().is_none() {
            self.assign(first);
        } else {
            self.read(first);
        }
        if name.method_name().is_some() {
            self.bring(function.body().block(), vec!["self".to_owned()]);
        }
    }

    fn visit_local_function(&mut self, function: &LocalFunction) {
        self.declare_token(function.name());
    }

    fn visit_const_function(&mut self, function: &ConstFunction) {
        self.declare_token(function.name());
    }

    // In scope only behind the values that it is given.
    fn visit_local_assignment_end(&mut self, assignment: &LocalAssignment) {
        assignment.names().iter().for_each(|name| self.declare_token(name));
    }

    fn visit_const_assignment_end(&mut self, assignment: &ConstAssignment) {
        assignment.names().iter().for_each(|name| self.declare_token(name));
    }

    fn visit_if_condition_binding_end(&mut self, binding: &IfConditionBinding) {
        // Seen by the branches; here it also stays for what follows them, which only spares warnings.
        self.declare(text(binding.name()), None);
    }

    fn visit_assignment(&mut self, assignment: &Assignment) {
        for variable in assignment.variables() {
            if let Var::Name(name) = variable {
                self.targets.insert(place(variable));
                self.assign(name);
            }
        }
    }

    fn visit_var(&mut self, variable: &Var) {
        if let Var::Name(name) = variable
            && !self.targets.remove(&place(variable))
        {
            self.read(name);
        }
    }

    fn visit_prefix(&mut self, prefix: &Prefix) {
        if let Prefix::Name(name) = prefix {
            self.read(name);
        }
    }
}

fn text(token: &TokenReference) -> String {
    token.token().to_string()
}

/// Tells one node of the tree from another; it stays where it is while the tree is walked.
fn place<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}
