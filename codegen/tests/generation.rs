//! What the build generates grows with the fragments, and so does its work: twice as many operations, twice the work.
//!
//! Work is counted in allocations, which are the same on every machine; `benches/builds.py` has the times. What the thread
//! that reads the YAML allocates is not counted.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A group of so many operations: each has a request and an answer of its own, every fifth is deprecated, and every ten
/// share a type.
fn fragment(operations: usize) -> String {
    let (mut paths, mut schemas) = (String::new(), String::new());
    for n in 0..operations {
        let retired = match n % 5 {
            0 => format!("deprecated: true\n      x-replaced-by: listThings{}", (n + 1) % operations),
            _ => "x-idempotent: true".to_owned(),
        };
        let group = n / 10;
        let responses = format!(
            "responses:
        '200':
          description: The envelope.
          content:
            application/json:
              schema: {{ $ref: '#/components/schemas/ListThings{n}RespDto' }}
              example: {{ statusCode: 200, message: Success, data: {{ total: 0, items: [] }} }}"
        );
        write!(
            paths,
            "
  /api/v3/list-things-{n}:
    post:
      operationId: listThings{n}
      summary: The things of kind {n}.
      description: Answers all of them.
      tags: [synthetic]
      {retired}
      security:
        - appId: []
          clientSecretBasic: []
        - appId: []
          userAccessToken: []
        - accessKeySignature: []
        - managementToken: []
      requestBody:
        required: true
        content:
          application/json:
            schema: {{ $ref: '#/components/schemas/ListThings{n}Dto' }}
            example: {{ kindId: kind-{n} }}
      {responses}
  /api/v3/get-thing-{n}/{{thingId}}:
    get:
      operationId: getThing{n}
      summary: One thing of kind {n}.
      description: Answers that one.
      tags: [synthetic]
      security: [{{ appId: [] }}]
      parameters:
        - {{ name: thingId, in: path, required: true, description: Its id., schema: {{ type: string }}, example: one }}
        - {{ name: withDetails, in: query, description: Whether to say more., schema: {{ type: boolean }}, example: true }}
      {responses}"
        )
        .unwrap();
        write!(
            schemas,
            "
    ListThings{n}Dto:
      description: Which things are meant.
      type: object
      required: [kindId]
      properties:
        kindId: {{ type: string, description: The id of their kind. }}
        accessToken: {{ type: string, format: password, description: Who asks. }}
        order: {{ type: string, enum: [FIRST, LAST], description: Which come first. }}
        limits: {{ type: array, description: How many of each., items: {{ type: integer, description: A number. }} }}
    ListThings{n}DataDto:
      description: The things.
      type: object
      required: [total, items]
      properties:
        total: {{ type: integer, description: How many there are. }}
        items:
          type: array
          description: They themselves.
          items: {{ $ref: '#/components/schemas/Thing{group}Dto' }}
    ListThings{n}RespDto:
      description: The envelope around the things.
      allOf:
        - $ref: '#/components/schemas/Envelope'
        - type: object
          properties:
            data: {{ $ref: '#/components/schemas/ListThings{n}DataDto' }}"
        )
        .unwrap();
        if n % 10 == 0 {
            write!(
                schemas,
                "
    Thing{group}Dto:
      description: A thing.
      type: object
      required: [id]
      properties:
        id: {{ type: string, description: Its id. }}
        changedAt: {{ $ref: '#/components/schemas/UnixTimestamp' }}"
            )
            .unwrap();
        }
    }
    format!("tags: [{{ name: synthetic }}]\npaths:{paths}\ncomponents:\n  schemas:{schemas}\n")
}

/// How often the generation of so many operations allocates, and how many bytes.
fn work(operations: usize) -> [u64; 2] {
    let fragments = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("generation-{operations}"));
    fs::create_dir_all(&fragments).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/genauth.yaml"), fragments.join("genauth.yaml")).unwrap();
    fs::write(fragments.join("synthetic.yaml"), fragment(operations / 2)).unwrap();
    let counted = allocation_counter::measure(|| {
        let compiled = genauth_codegen::compile(&fragments, "openapi", &|_| true).unwrap_or_else(|violations| {
            let lines = violations.iter().map(ToString::to_string).collect::<Vec<_>>();
            panic!("the fragments are broken:\n{}", lines.join("\n"))
        });
        assert!(compiled.groups["synthetic"].contains("pub struct GetThing0"));
    });
    [counted.count_total, counted.bytes_total]
}

#[test]
fn twice_as_many_operations_are_twice_the_work() {
    let work = [50, 100, 200].map(work);
    println!("allocations and bytes: {work:?}");
    for pair in work.windows(2) {
        for (less, more) in pair[0].iter().zip(pair[1]) {
            assert!(more * 100 <= less * 205, "more than twice as much: {work:?}");
        }
    }
}
